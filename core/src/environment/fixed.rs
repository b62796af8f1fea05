//! Numbers of physics as whole ones: multiples of 2^-16, products rounded to the nearest.

/// The number 1.
pub const ONE: i32 = 1 << 16;
/// The number pi.
pub(super) const PI: i32 = 205_887;

/// The nearest multiple of 2^-16 to `number`, for constants.
pub(super) const fn parts(number: f64) -> i32 {
    let scaled = number * ONE as f64;
    (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

/// A product.
pub(super) const fn times(a: i32, b: i32) -> i32 {
    ((a as i64 * b as i64 + (1 << 15)) >> 16) as i32
}

/// `number` times a time step of so many 2^-32: a step of 1/50 s has no exact number of 2^-16.
pub(super) const fn during(number: i32, step: u32) -> i32 {
    ((number as i64 * step as i64 + (1 << 31)) >> 32) as i32
}

/// 1 / `number`, for numbers from 1/4 on.
pub(super) const fn reciprocal(number: i32) -> i32 {
    // Rounded down: half a part of 4 is nothing to physics.
    let number = if number < ONE / 4 { ONE / 4 } else { number };
    (u32::MAX / number.cast_unsigned()).cast_signed()
}

/// An angle in radians brought to -pi to pi.
pub(super) const fn wrap(angle: i32) -> i32 {
    let turns = (angle as i64 + PI as i64).div_euclid(2 * PI as i64);
    (angle as i64 - turns * 2 * PI as i64) as i32
}

/// The sine of an angle in radians, both in 2^-16: Taylor's series to the ninth power on a quarter turn, right to three parts.
#[must_use]
pub const fn sine(angle: i32) -> i32 {
    let angle = wrap(angle);
    let x = if angle > PI / 2 {
        PI - angle
    } else if angle < -PI / 2 {
        -PI - angle
    } else {
        angle
    };
    let square = times(x, x);
    let mut series = ONE - times(square, parts(1.0 / 72.0));
    series = ONE - times(times(square, parts(1.0 / 42.0)), series);
    series = ONE - times(times(square, parts(1.0 / 20.0)), series);
    series = ONE - times(times(square, parts(1.0 / 6.0)), series);
    times(x, series)
}

/// The cosine of an angle.
pub(super) const fn cosine(angle: i32) -> i32 {
    sine(wrap(angle) + PI / 2)
}
