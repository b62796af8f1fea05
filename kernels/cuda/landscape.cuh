// The state of a network with one hidden layer on all samples, as it lies in device memory.

#pragma once

#include "common.cuh"
#include "sliding.cuh"

// Samples that one warp takes at a time: its sums of changes of loss, below 2^21 each, fit 32 bits.
static const u32 TILE = 1024;

// host/src/backend/cuda/landscape/state.rs has the same.
struct Landscape {
    u32 *genome;       // [genome words], as core packs them
    const u32 *inputs; // [samples][input words]
    const u8 *labels;  // [samples]
    const i32 *terms;  // [2 * zero + 1]: the loss of a wrong class so far ahead of the right one
    u32 *views;        // [slots][samples][view words]: what a neuron sees; of a dense layer the inputs
    u32 *on;           // [neurons][sample words]: the signs of the neurons
    u32 *boundary;     // [neurons][sample words]: whether one step would change the sign
    i32 *ahead;        // [samples][classes]: scores less that of the right class
    i16 *moves;        // [samples][rise, fall][class slots]: change of loss if a wrong class gained 2, or lost 2
    u32 samples, sample_words, neurons, fan_in, row_words, classes, class_slots, zero;
    u32 thresholds, threshold_bits, weights;
    u32 out_thresholds, out_threshold_bits, out_weights, out_row_words;
    u32 view_words;
    u32 height, width, slide; // of windows that slide, whose views are fields; slide is 0 where none does
};

static_assert(sizeof(Landscape) == 152, "as in the host");

// A hidden neuron, and which of the views it sees.
DEVICE u32 neuron_of(u32 visit) { return visit & 0xffff; }

DEVICE u32 slot_of(u32 visit) { return visit >> 16; }

DEVICE const u32 *view_of(const Landscape &l, u32 slot, u32 sample) {
    return l.views + ((u64)slot * l.samples + sample) * l.view_words;
}

DEVICE const u32 *weights_of(const Landscape &l, u32 neuron) {
    return l.genome + l.weights + (u64)neuron * l.row_words;
}

DEVICE u32 threshold_of(const Landscape &l, u32 neuron) {
    return field_of(l.genome + l.thresholds, l.threshold_bits, neuron);
}

// The weight of a hidden neuron in a class.
DEVICE u32 vote_of(const Landscape &l, u32 neuron, u32 label) {
    return bit_of(l.genome + l.out_weights + (u64)label * l.out_row_words, neuron);
}

DEVICE i32 term(const Landscape &l, i32 difference) { return l.terms[difference + (i32)l.zero]; }

DEVICE u32 mismatches(const u32 *a, const u32 *b, u32 words) {
    u32 sum = 0;
    for (u32 word = 0; word < words; word++) {
        sum += __popc(a[word] ^ b[word]);
    }
    return sum;
}

// The weights of a neuron of up to 64 inputs.
DEVICE u64 packed_weights(const Landscape &l, u32 neuron) {
    const u32 *weights = weights_of(l, neuron);
    return weights[0] | (u64)(l.row_words > 1 ? weights[1] : 0) << 32;
}

DEVICE i32 preactivation(const Landscape &l, u32 neuron, u32 slot, u32 sample) {
    if (l.slide > 0) {
        Pattern pattern = pattern_of(packed_weights(l, neuron), l.height, l.width);
        Field field = field_at(view_of(l, slot, sample), l.view_words);
        Two unused = {0, 0};
        return (i32)threshold_of(l, neuron) - fewest<false>(field, pattern, l.slide, 0, unused);
    }
    u32 differ = mismatches(view_of(l, slot, sample), weights_of(l, neuron), l.row_words);
    return (i32)threshold_of(l, neuron) - (i32)differ;
}

// The sum of the values of 8 classes where a byte of `chosen` is 1.
DEVICE i32 chosen_sum(Four values, Two chosen, i32 sum) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 610
    sum = __dp2a_lo((i32)values.words[0], (i32)chosen.low, sum);
    sum = __dp2a_hi((i32)values.words[1], (i32)chosen.low, sum);
    sum = __dp2a_lo((i32)values.words[2], (i32)chosen.high, sum);
    return __dp2a_hi((i32)values.words[3], (i32)chosen.high, sum);
#else
    for (u32 half = 0; half < 8; half++) {
        i32 value = (i16)(values.words[half / 2] >> half % 2 * 16);
        u32 choice = (half < 4 ? chosen.low : chosen.high) >> half % 4 * 8 & 1;
        sum += choice ? value : 0;
    }
    return sum;
#endif
}

// What of a hidden neuron decides how its flip changes the loss; in shared memory, one for each warp.
struct Against {
    u32 votes[8];                 // the weights of the neuron in the classes
    alignas(16) u8 chosen[2][256]; // classes that vote otherwise than one that votes -, or +
};

DEVICE void find_against(const Landscape &l, u32 neuron, Against &against) {
    for (u32 first = 0; first < l.class_slots; first += 32) {
        u32 label = first + lane_of_thread();
        u32 vote = label < l.classes ? vote_of(l, neuron, label) : 0;
        u32 votes = __ballot_sync(ALL, vote);
        if (lane_of_thread() == 0) {
            against.votes[first / 32] = votes;
        }
        against.chosen[0][label] = (u8)vote;
        against.chosen[1][label] = label < l.classes && !vote;
    }
    __syncwarp();
}

// The change of a sample's loss if a neuron that is `on` there were not, or the reverse. The flip moves every score by 1, so only
// classes that vote otherwise than the right one change the loss, all by 2 in one direction.
DEVICE i32 flip_change(const Landscape &l, const Against &against, u32 sample, u32 on) {
    u32 right = bit_of(against.votes, l.labels[sample]);
    // Where vote and output agree, the flip takes 1 from the right score: the others gain.
    u32 falls = right != on;
    const Four *moves = (const Four *)(l.moves + (u64)(2 * sample + falls) * l.class_slots);
    const Two *chosen = (const Two *)against.chosen[right];
    i32 sum = 0;
    for (u32 block = 0; block < l.class_slots / 8; block++) {
        sum = chosen_sum(moves[block], chosen[block], sum);
    }
    return sum;
}
