// Windows that slide: one plane of up to 8x8 units, at up to 8x8 neighbouring positions, of which the one with the fewest mismatches
// decides. What such a window shows, wherever it slides, is a field of up to 16 lines of 16 columns; a position is eight bytes
// picked from it, one for each line, and so are the weights.

#pragma once

#include "common.cuh"

static const u32 MOST_POSITIONS = 8; // in one direction

// Two lines to a word.
struct Field {
    u32 lines[8];
};

// The weights of a neuron, and which bits are weights at all: a byte for each line.
struct Pattern {
    Two weights, mask;
};

DEVICE Field field_at(const u32 *view, u32 words) {
    Four upper = *(const Four *)view, lower = {{0, 0, 0, 0}};
    if (words > 4) {
        lower = *(const Four *)(view + 4);
    }
    Field field;
#pragma unroll
    for (u32 word = 0; word < 4; word++) {
        field.lines[word] = upper.words[word];
        field.lines[4 + word] = lower.words[word];
    }
    return field;
}

// Four lines of packed weights as bytes.
DEVICE u32 spread(u64 packed, u32 first, u32 height, u32 width) {
    u32 bytes = 0;
#pragma unroll
    for (u32 line = 0; line < 4; line++) {
        u32 row = (u32)(packed >> (first + line) * width) & ((1u << width) - 1);
        bytes |= first + line < height ? row << 8 * line : 0;
    }
    return bytes;
}

DEVICE Pattern pattern_of(u64 packed, u32 height, u32 width) {
    u64 all = ~(u64)0;
    Pattern pattern;
    pattern.weights.low = spread(packed, 0, height, width);
    pattern.weights.high = spread(packed, 4, height, width);
    pattern.mask.low = spread(all, 0, height, width);
    pattern.mask.high = spread(all, 4, height, width);
    return pattern;
}

// The weight that a bit of a pattern is; past all weights where it is none.
DEVICE u32 weight_of_bit(u32 bit, u32 height, u32 width) {
    u32 line = bit / 8, column = bit % 8;
    return line < height && column < width ? line * width + column : ALL;
}

// Mismatches at the position where they are the fewest. With JOIN the bits that differ at any position where at most `most` do are
// added to `joined`. 11 instructions a position, of which two are population counts, and 12 for every column.
template <bool JOIN> DEVICE i32 fewest(const Field &field, const Pattern &pattern, u32 slide, i32 most, Two &joined) {
    i32 least = 64;
#pragma unroll 1
    for (u32 right = 0; right <= slide; right++) {
        u32 bytes[4];
#pragma unroll
        for (u32 word = 0; word < 4; word++) {
            bytes[word] = __byte_perm(field.lines[2 * word] >> right, field.lines[2 * word + 1] >> right, 0x6420);
        }
#pragma unroll
        for (u32 down = 0; down < MOST_POSITIONS; down++) {
            // Not a break: the numbers of bytes stay constants, and bytes in registers.
            if (down <= slide) {
                u32 from = 0x3210 + 0x1111 * (down % 4);
                u32 low = __byte_perm(bytes[down / 4], bytes[down / 4 + 1], from);
                u32 high = __byte_perm(bytes[down / 4 + 1], bytes[down / 4 + 2], from);
                low = (low ^ pattern.weights.low) & pattern.mask.low;
                high = (high ^ pattern.weights.high) & pattern.mask.high;
                i32 differ = (i32)(__popc(low) + __popc(high));
                least = differ < least ? differ : least;
                if (JOIN && differ <= most) {
                    joined.low |= low;
                    joined.high |= high;
                }
            }
        }
    }
    return least;
}
