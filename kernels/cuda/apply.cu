// Flips: trials of several mutations of one neuron, and bringing all that is remembered up to date with them, on the device; and how
// it is made in the first place.
//
// A thread takes one sample. A trial runs the touched neuron anew on all samples and looks up the change of loss where its output
// changed; it scores a set of mutations, its better half, that half's better half and so on in one pass, so that the search asks
// once. Traffic of a trial: 4 * row words a sample, 480 KB for a window of 8x8 on 60 000 images, and a row of moves where the
// output changed: about a microsecond of an H200's memory, less than a launch takes. A commit writes two bits a sample, and scores and
// moves where the output changed. Ceiling: the latency of a launch.

#include "landscape.cuh"

// Mutations of one neuron, in order. host/src/backend/cuda/landscape/state.rs has the same.
struct Trial {
    u32 visit;  // the hidden neuron and its slot, or the class
    u32 count;
    u64 scored; // bit n - 1: the first n of them are scored together
    u32 steps[64];
};

static_assert(sizeof(Trial) == 272, "as in the host");

// A step: the input whose weight flips in the low 16 bits, and
static const u32 WAS_PLUS = 1u << 16; // that weight's value before
static const u32 RAISE = 1u << 17;    // or the threshold moves, up
static const u32 LOWER = 1u << 18;    // or down

// How a step moves the pre-activation of a neuron for which the weight's input is `input`.
DEVICE i32 move_of(u32 step, u32 input) {
    if (step & (RAISE | LOWER)) {
        return step & RAISE ? 1 : -1;
    }
    // Where input and weight agree the flip makes a mismatch.
    return (step & WAS_PLUS) / WAS_PLUS == input ? -1 : 1;
}

// What a windowed neuron sees, and how its input is packed.
struct Window {
    u32 planes, height, width, input_height, line_words, input_words;
};

// Packs the units of some windows, row after row, plane after plane, for every sample. A window is its place and, from bit 16 on, the
// slot that it goes to. Threads: (samples, count).
KERNEL apply_views(Landscape l, Window window, const u32 *places) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    u32 place = places[blockIdx.y] & 0xffff, slot = places[blockIdx.y] >> 16;
    if (sample >= l.samples) {
        return;
    }
    const u32 *input = l.inputs + (u64)sample * window.input_words;
    u32 *view = l.views + ((u64)slot * l.samples + sample) * l.view_words;
    u32 shift = place % 32, start = place / 32, word = 0, used = 0;
    u32 mask = window.width == 32 ? ALL : (1u << window.width) - 1;
    for (u32 plane = 0; plane < window.planes; plane++) {
        for (u32 line = 0; line < window.height; line++) {
            u32 index = start + line * window.line_words;
            u32 row = input[index] >> shift;
            if (shift + window.width > 32) {
                row |= input[index + 1] << (32 - shift);
            }
            row &= mask;
            word |= row << used;
            used += window.width;
            if (used >= 32) {
                *view++ = word;
                used -= 32;
                word = used == 0 ? 0 : row >> (window.width - used);
            }
        }
        start += window.input_height * window.line_words;
    }
    if (used > 0) {
        *view = word;
    }
}

// The same for windows that slide: fields, of the lines and columns that they slide over. Columns past those are of no meaning.
KERNEL apply_fields(Landscape l, Window window, const u32 *places) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    u32 place = places[blockIdx.y] & 0xffff, slot = places[blockIdx.y] >> 16;
    if (sample >= l.samples) {
        return;
    }
    const u32 *input = l.inputs + (u64)sample * window.input_words + place / 32;
    u32 *view = l.views + ((u64)slot * l.samples + sample) * l.view_words;
    u32 shift = place % 32, both = 0;
    for (u32 line = 0; line < 2 * l.view_words; line++) {
        u32 row = 0;
        if (line < window.height) {
            row = input[line * window.line_words] >> shift;
            if (shift + window.width > 32) {
                row |= input[line * window.line_words + 1] << (32 - shift);
            }
        }
        both |= (row & 0xffff) << line % 2 * 16;
        if (line % 2 == 1) {
            view[line / 2] = both;
            both = 0;
        }
    }
}

DEVICE void write_signs(const Landscape &l, u32 neuron, u32 sample, bool inside, i32 value) {
    u32 on = __ballot_sync(ALL, inside && value >= 0);
    u32 boundary = __ballot_sync(ALL, inside && (value == 0 || value == -1));
    if (lane_of_thread() == 0 && inside) {
        u64 word = (u64)neuron * l.sample_words + sample / 32;
        l.on[word] = on;
        l.boundary[word] = boundary;
    }
}

// Runs some hidden neurons on all samples. Threads: (samples, count).
KERNEL apply_neurons(Landscape l, const u32 *visits) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x, visit = visits[blockIdx.y];
    bool inside = sample < l.samples;
    i32 value = inside ? preactivation(l, neuron_of(visit), slot_of(visit), sample) : 0;
    write_signs(l, neuron_of(visit), sample, inside, value);
}

// Looks up what a sample would lose or gain.
DEVICE void find_moves(const Landscape &l, u32 sample) {
    const i32 *ahead = l.ahead + (u64)sample * l.classes;
    i16 *rise = l.moves + (u64)2 * sample * l.class_slots, *fall = rise + l.class_slots;
    u32 right = l.labels[sample];
    for (u32 label = 0; label < l.classes; label++) {
        i32 now = term(l, ahead[label]);
        rise[label] = label == right ? 0 : (i16)(term(l, ahead[label] + 2) - now);
        fall[label] = label == right ? 0 : (i16)(term(l, ahead[label] - 2) - now);
    }
}

// Classes that a thread scores at a time.
static const u32 TOGETHER = 16;

// Runs the last layer on all samples. Threads: samples.
KERNEL apply_scores(Landscape l) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    if (sample >= l.samples) {
        return;
    }
    i32 *ahead = l.ahead + (u64)sample * l.classes;
    for (u32 first = 0; first < l.classes; first += TOGETHER) {
        i32 scores[TOGETHER] = {};
        for (u32 word = 0; word < l.out_row_words; word++) {
            u32 hidden = 0;
            for (u32 bit = 0; bit < 32 && word * 32 + bit < l.neurons; bit++) {
                u32 on = l.on[(u64)(word * 32 + bit) * l.sample_words + sample / 32];
                hidden |= (on >> sample % 32 & 1) << bit;
            }
#pragma unroll
            for (u32 label = 0; label < TOGETHER; label++) {
                if (first + label < l.classes) {
                    u32 row = (first + label) * l.out_row_words + word;
                    scores[label] -= __popc(hidden ^ l.genome[l.out_weights + row]);
                }
            }
        }
#pragma unroll
        for (u32 label = 0; label < TOGETHER; label++) {
            if (first + label < l.classes) {
                const u32 *thresholds = l.genome + l.out_thresholds;
                u32 threshold = field_of(thresholds, l.out_threshold_bits, first + label);
                ahead[first + label] = scores[label] + (i32)threshold;
            }
        }
    }
    i32 right = ahead[l.labels[sample]];
    for (u32 label = 0; label < l.classes; label++) {
        ahead[label] -= right;
    }
    find_moves(l, sample);
}

// Adds to sums the loss of all samples and how many are right. Threads: samples.
KERNEL apply_measure(Landscape l, i64 *sums) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    i32 loss = 0;
    bool correct = false;
    if (sample < l.samples) {
        const i32 *ahead = l.ahead + (u64)sample * l.classes;
        u32 best = 0, right = l.labels[sample];
        for (u32 label = 0; label < l.classes; label++) {
            loss += label == right ? 0 : term(l, ahead[label]);
            best = ahead[label] > ahead[best] ? label : best;
        }
        correct = best == right;
    }
    i64 all = long_sum_of_warp(loss);
    u32 rights = __ballot_sync(ALL, correct);
    if (lane_of_thread() == 0) {
        add(sums, all);
        add(sums + 1, __popc(rights));
    }
}

// What a sample would lose or gain if the neuron of a trial were not as it is there, once that is known.
struct Flip {
    bool on, known;
    i32 change;
};

// Adds to a sum the changes of loss of a warp's samples on which a set changes the neuron.
DEVICE void add_change(const Landscape &l, const Against &against, u32 sample, bool changed, Flip &flip, i64 *sum) {
    if (changed && !flip.known) {
        flip.change = flip_change(l, against, sample, flip.on);
        flip.known = true;
    }
    if (__ballot_sync(ALL, changed) != 0) {
        i32 all = sum_of_warp(changed ? flip.change : 0);
        if (lane_of_thread() == 0) {
            add(sum, all);
        }
    }
}

// Adds to sums, one for each scored set, the change of loss if these mutations of a hidden neuron were applied. Blocks of 128
// threads: samples.
KERNEL apply_try_neuron(Landscape l, Trial trial, i64 *sums) {
    __shared__ Against works[4];
    Against &against = works[warp_of_thread()];
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x, slot = slot_of(trial.visit);
    find_against(l, neuron_of(trial.visit), against);
    bool inside = sample < l.samples;
    sample = inside ? sample : 0;
    const u32 *seen = view_of(l, slot, sample);
    i32 value = preactivation(l, neuron_of(trial.visit), slot, sample);
    Flip flip = {value >= 0, false, 0};
    for (u32 index = 0; index < trial.count; index++) {
        u32 step = trial.steps[index];
        value += move_of(step, bit_of(seen, step & 0xffff));
        if (trial.scored >> index & 1) {
            add_change(l, against, sample, inside && (value >= 0) != flip.on, flip, sums++);
        }
    }
}

// The same where windows slide: of every scored set the neuron runs anew.
KERNEL apply_try_sliding(Landscape l, Trial trial, i64 *sums) {
    __shared__ Against works[4];
    Against &against = works[warp_of_thread()];
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x, neuron = neuron_of(trial.visit);
    find_against(l, neuron, against);
    bool inside = sample < l.samples;
    sample = inside ? sample : 0;
    Field field = field_at(view_of(l, slot_of(trial.visit), sample), l.view_words);
    u64 weights = packed_weights(l, neuron);
    i32 threshold = (i32)threshold_of(l, neuron);
    Two unused = {0, 0};
    Pattern pattern = pattern_of(weights, l.height, l.width);
    Flip flip = {fewest<false>(field, pattern, l.slide, 0, unused) <= threshold, false, 0};
    for (u32 index = 0; index < trial.count; index++) {
        u32 step = trial.steps[index];
        if (step & (RAISE | LOWER)) {
            threshold += step & RAISE ? 1 : -1;
        } else {
            weights ^= (u64)1 << (step & 0xffff);
        }
        if (trial.scored >> index & 1) {
            pattern = pattern_of(weights, l.height, l.width);
            bool on = fewest<false>(field, pattern, l.slide, 0, unused) <= threshold;
            add_change(l, against, sample, inside && on != flip.on, flip, sums++);
        }
    }
}

// The value of a step's input, a hidden neuron, on a sample.
DEVICE u32 hidden_bit(const Landscape &l, u32 step, u32 sample) {
    return step & (RAISE | LOWER) ? 0 : bit_of(l.on + (u64)(step & 0xffff) * l.sample_words, sample);
}

// The same for mutations of a class.
KERNEL apply_try_class(Landscape l, Trial trial, i64 *sums) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    bool inside = sample < l.samples;
    sample = inside ? sample : 0;
    const i32 *ahead = l.ahead + (u64)sample * l.classes;
    u32 right = l.labels[sample];
    i32 moved = 0;
    for (u32 index = 0; index < trial.count; index++) {
        moved += move_of(trial.steps[index], hidden_bit(l, trial.steps[index], sample));
        if ((trial.scored >> index & 1) == 0) {
            continue;
        }
        i32 change = 0;
        if (inside && moved != 0 && trial.visit != right) {
            change = term(l, ahead[trial.visit] + moved) - term(l, ahead[trial.visit]);
        } else if (inside && moved != 0) {
            for (u32 other = 0; other < l.classes; other++) {
                change += other == right ? 0 : term(l, ahead[other] - moved) - term(l, ahead[other]);
            }
        }
        i64 sum = long_sum_of_warp(change);
        if (lane_of_thread() == 0) {
            add(sums, sum);
        }
        sums++;
    }
}

// Applies mutations of the neuron whose weights begin at word `weights` to the genome. One block, one thread of which works.
KERNEL apply_genome(u32 *genome, Trial trial, u32 weights, u32 thresholds, u32 threshold_bits) {
    if (threadIdx.x > 0) {
        return;
    }
    u32 neuron = neuron_of(trial.visit), first = neuron * threshold_bits;
    u32 *word = genome + thresholds + first / 32;
    u32 mask = ((1u << threshold_bits) - 1) << first % 32;
    for (u32 index = 0; index < trial.count; index++) {
        u32 step = trial.steps[index];
        if (step & (RAISE | LOWER)) {
            u32 moved = *word + ((step & RAISE ? 1u : ALL) << first % 32);
            *word = (*word & ~mask) | (moved & mask);
        } else {
            genome[weights + (step & 0xffff) / 32] ^= 1u << step % 32;
        }
    }
}

// Brings what is remembered up to date with a hidden neuron of the genome. Threads: samples.
KERNEL apply_commit_neuron(Landscape l, u32 visit) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x, neuron = neuron_of(visit);
    bool inside = sample < l.samples;
    i32 value = inside ? preactivation(l, neuron, slot_of(visit), sample) : 0;
    u32 was = inside ? bit_of(l.on + (u64)neuron * l.sample_words, sample) : 0, on = value >= 0;
    // All lanes read the old signs before one of them writes the new.
    __syncwarp();
    write_signs(l, neuron, sample, inside, value);
    if (!inside || was == on) {
        return;
    }
    i32 *ahead = l.ahead + (u64)sample * l.classes;
    i32 right = vote_of(l, neuron, l.labels[sample]) == on ? 1 : -1;
    for (u32 label = 0; label < l.classes; label++) {
        ahead[label] += (vote_of(l, neuron, label) == on ? 1 : -1) - right;
    }
    find_moves(l, sample);
}

// Brings what is remembered up to date with mutations of a class. Threads: samples.
KERNEL apply_commit_class(Landscape l, Trial trial) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    if (sample >= l.samples) {
        return;
    }
    i32 moved = 0;
    for (u32 index = 0; index < trial.count; index++) {
        moved += move_of(trial.steps[index], hidden_bit(l, trial.steps[index], sample));
    }
    if (moved == 0) {
        return;
    }
    i32 *ahead = l.ahead + (u64)sample * l.classes;
    if (trial.visit != l.labels[sample]) {
        ahead[trial.visit] += moved;
    } else {
        for (u32 label = 0; label < l.classes; label++) {
            ahead[label] -= label == trial.visit ? 0 : moved;
        }
    }
    find_moves(l, sample);
}
