//! Enumerations whose values have names: in files, as flags, in messages.
//!
//! [`named!`](crate::named!) declares such an enumeration. Its names and their meanings are written once. From them follow
//! `serde`, [`FromStr`](std::str::FromStr), [`Display`](std::fmt::Display) and the table that help texts are made of.

/// An enumeration that [`named!`](crate::named!) declares.
pub trait Named: Copy + Eq + Send + Sync + std::str::FromStr<Err = String> + 'static {
    /// Each value, its name, and what it means.
    const ALL: &'static [(Self, &'static str, &'static str)];
}

/// Declares an enumeration: each variant has a doc comment, which is its help text, and a name. `(default)` behind a name
/// marks the variant that [`Default`] gives, where the enumeration derives it.
///
/// ```
/// evobit_data::named! {
///     /// How to go.
///     #[derive(Default)]
///     pub enum Pace {
///         /// One step after the other
///         Walk = "walk" (default),
///         /// Both feet off the ground
///         Run = "run",
///     }
/// }
/// assert_eq!("run".parse(), Ok(Pace::Run));
/// assert_eq!(Pace::default().to_string(), "walk");
/// ```
#[macro_export]
macro_rules! named {
    (
        $(#[$about:meta])*
        $visibility:vis enum $type:ident {
            $($(#[doc = $help:literal])+ $variant:ident = $name:literal $(($default:ident))?,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        $visibility enum $type {
            $($(#[doc = $help])+ #[serde(rename = $name)] $(#[$default])? $variant,)+
        }

        impl $type {
            /// Its name in files and as a flag.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl $crate::Named for $type {
            const ALL: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$variant, $name, concat!($($help),+).trim_ascii_start()),)+];
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(name: &str) -> Result<Self, String> {
                let all = <Self as $crate::Named>::ALL;
                all.iter().find(|known| known.1 == name).map(|known| known.0).ok_or_else(|| {
                    let names: Vec<&str> = all.iter().map(|known| known.1).collect();
                    format!("`{name}` is not known: it must be one of {}", names.join(", "))
                })
            }
        }
    };
}
