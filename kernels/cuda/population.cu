// Populations: the loss of many genomes of one topology, of any depth, on samples that all of them share.
//
// Layer by layer: signs of a layer's neurons from those of the layer before, [genomes][samples][words], then the loss of the scores. A
// thread takes one sample (of eight genomes where they share the inputs of windows, which are gathered once), a warp 32 on tensor
// cores. Forms of dense layers, chosen by the card: plain population counts, for all; carry-save adders of seven words to three
// before the count, two LOP3 each, because POPC runs at a quarter of LOP3's rate; binary tensor cores, exclusive or from sm_75 on, and
// with corrections from sm_80 on (mismatches = popc(x) + popc(w) - 2 popc(x and w)).
//
// Traffic: 4 * words of a sample in and out for each genome, the weights from shared memory. Work: fan in * neurons bit operations a
// sample and genome. Ceilings on an H200 (132 multiprocessors at 1.8 GHz): POPC 16 words a clock each, 122 T bit operations a second;
// adders 12 POPC and 72 other instructions for 28 words, 64 a clock: 28 words in 1.2 of the 1.75 clocks of plain POPC, 1.5 times as
// many; tensor cores one m16n8k128 of 16 384 products a clock where they run as on sm_80, 3.9 P a second, and what is left is the
// packing of signs.

#include "landscape.cuh"
#include "tensor.cuh"

// A layer of a population. host/src/backend/cuda/population.rs has the same.
struct Layer {
    const u32 *genomes; // [genomes][genome words]
    const u32 *inputs;  // [genomes, or one for all][samples][input words]
    u32 *outputs;       // [genomes][samples][output words]
    u64 input_stride;   // words from the inputs of one genome to those of the next; 0 where they share them
    u32 genome_words, count, samples, input_words, output_words;
    u32 output_row_bits; // units of a row of the next layer's packing
    u32 neurons, fan_in, row_words, thresholds, threshold_bits, weights, places;
    u32 planes, height, width, input_height, line_words; // of windows; planes is 0 in a dense layer
    u32 slide;                                           // rows and columns that a window slides by
};

static_assert(sizeof(Layer) == 112, "as in the host");

static const u32 MOST_WINDOW_WORDS = 32;
// Words of a sample that a thread holds in registers: four groups of seven.
static const u32 HELD = 28;
// Neurons whose weights lie in shared memory at a time.
static const u32 STAGED = 32;

DEVICE const u32 *genome_of(const Layer &l, u32 index) { return l.genomes + (u64)index * l.genome_words; }

DEVICE const u32 *input_of(const Layer &l, u32 index, u32 sample) {
    return l.inputs + index * l.input_stride + (u64)sample * l.input_words;
}

DEVICE u32 *output_of(const Layer &l, u32 index, u32 sample) {
    return l.outputs + ((u64)index * l.samples + sample) * l.output_words;
}

// Packs what a window shows of one input.
DEVICE void gather(const Layer &l, const u32 *input, u32 place, u32 *window) {
    u32 shift = place % 32, start = place / 32, word = 0, used = 0;
    u32 mask = l.width == 32 ? ALL : (1u << l.width) - 1;
    for (u32 plane = 0; plane < l.planes; plane++) {
        for (u32 line = 0; line < l.height; line++) {
            u32 index = start + line * l.line_words;
            u32 row = input[index] >> shift;
            if (shift + l.width > 32) {
                row |= input[index + 1] << (32 - shift);
            }
            row &= mask;
            word |= row << used;
            used += l.width;
            if (used >= 32) {
                *window++ = word;
                used -= 32;
                word = used == 0 ? 0 : row >> (l.width - used);
            }
        }
        start += l.input_height * l.line_words;
    }
    if (used > 0) {
        *window = word;
    }
}

// Any layer, for up to GENOMES genomes from `first` on, which share the inputs where there is more than one.
template <u32 GENOMES> DEVICE void run_layer(const Layer &l, u32 first, u32 sample) {
    u32 window[MOST_WINDOW_WORDS];
    u32 words[GENOMES] = {};
    u32 count = l.count - first < GENOMES ? l.count - first : GENOMES;
    u32 filled = 0, column = 0, index = 0;
    const u32 *input = input_of(l, first, sample);
    u32 positions = (l.slide + 1) * (l.slide + 1);
    for (u32 neuron = 0; neuron < l.neurons; neuron++) {
        u32 fewest[GENOMES];
        // Of a window that slides, the position with the fewest mismatches counts.
        for (u32 position = 0; position < positions; position++) {
            u32 down = position / (l.slide + 1), right = position % (l.slide + 1), shown = ALL;
#pragma unroll
            for (u32 which = 0; which < GENOMES; which++) {
                if (which < count) {
                    const u32 *genome = genome_of(l, first + which);
                    u32 place = l.planes > 0 ? field_of(genome + l.places, 16, neuron) : 0;
                    if (l.planes > 0 && place != shown) {
                        gather(l, input, place + down * l.line_words * 32 + right, window);
                        shown = place;
                    }
                    const u32 *row = genome + l.weights + neuron * l.row_words;
                    u32 differ = mismatches(l.planes > 0 ? window : input, row, l.row_words);
                    fewest[which] = position > 0 && fewest[which] < differ ? fewest[which] : differ;
                }
            }
        }
#pragma unroll
        for (u32 which = 0; which < GENOMES; which++) {
            if (which < count) {
                u32 threshold = field_of(genome_of(l, first + which) + l.thresholds, l.threshold_bits, neuron);
                words[which] |= (u32)(fewest[which] <= threshold) << filled;
            }
        }
        filled++;
        column++;
        // A row of the next layer's packing ends with a whole word.
        if (filled == 32 || column == l.output_row_bits || neuron + 1 == l.neurons) {
#pragma unroll
            for (u32 which = 0; which < GENOMES; which++) {
                if (which < count) {
                    output_of(l, first + which, sample)[index] = words[which];
                    words[which] = 0;
                }
            }
            index++;
            filled = 0;
            column = column == l.output_row_bits ? 0 : column;
        }
    }
}

// Any layer. Threads: (samples, genomes).
KERNEL population_layer(Layer l) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    if (sample < l.samples) {
        run_layer<1>(l, blockIdx.y, sample);
    }
}

// A layer of windows over inputs that all genomes share. Threads: (samples, genomes / 8).
KERNEL population_windows(Layer l) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    if (sample < l.samples) {
        run_layer<8>(l, blockIdx.y * 8, sample);
    }
}

// The weights of some neurons, each row padded with zeros, and what decides about them.
template <u32 WORDS> struct Staged {
    alignas(16) u32 rows[STAGED][WORDS];
    i32 decide[STAGED];
};

// Brings weights and thresholds of up to 32 neurons to shared memory.
template <u32 WORDS>
DEVICE void stage_weights(const Layer &l, const u32 *genome, u32 first, Staged<WORDS> &staged) {
    __syncthreads();
    for (u32 index = threadIdx.x; index < STAGED * WORDS; index += blockDim.x) {
        u32 neuron = first + index / WORDS, word = index % WORDS;
        bool inside = neuron < l.neurons && word < l.row_words;
        staged.rows[index / WORDS][word] = inside ? genome[l.weights + neuron * l.row_words + word] : 0;
    }
    for (u32 index = threadIdx.x; index < STAGED; index += blockDim.x) {
        bool inside = first + index < l.neurons;
        // Below zero: never on.
        staged.decide[index] = inside ? (i32)field_of(genome + l.thresholds, l.threshold_bits, first + index) : -1;
    }
    __syncthreads();
}

// A full adder on 32 lanes.
DEVICE u32 add_three(u32 a, u32 b, u32 c, u32 &carry) {
    carry = (a & b) | (a & c) | (b & c);
    return a ^ b ^ c;
}

// The mismatches of seven words: four full adders, three counts.
DEVICE u32 count_seven(const u32 *x, const u32 *w) {
    u32 two[3], four;
    u32 one = add_three(x[0] ^ w[0], x[1] ^ w[1], x[2] ^ w[2], two[0]);
    one = add_three(one, x[3] ^ w[3], x[4] ^ w[4], two[1]);
    one = add_three(one, x[5] ^ w[5], x[6] ^ w[6], two[2]);
    u32 twos = add_three(two[0], two[1], two[2], four);
    return __popc(one) + 2 * __popc(twos) + 4 * __popc(four);
}

// Dense layers of up to 28 words a neuron whose output is one row.
template <bool ADDERS> DEVICE void run_dense(const Layer &l, Staged<HELD> &staged) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    bool inside = sample < l.samples;
    const u32 *input = input_of(l, blockIdx.y, inside ? sample : 0);
    u32 x[HELD];
#pragma unroll
    for (u32 word = 0; word < HELD; word++) {
        x[word] = word < l.row_words ? input[word] : 0;
    }
    for (u32 first = 0; first < l.neurons; first += STAGED) {
        stage_weights(l, genome_of(l, blockIdx.y), first, staged);
        u32 signs = 0;
        for (u32 neuron = 0; neuron < STAGED; neuron++) {
            const u32 *row = staged.rows[neuron];
            i32 differ = 0;
            if (ADDERS) {
#pragma unroll
                for (u32 word = 0; word < HELD; word += 7) {
                    differ += count_seven(x + word, row + word);
                }
            } else {
#pragma unroll
                for (u32 word = 0; word < HELD; word++) {
                    differ += __popc(x[word] ^ row[word]);
                }
            }
            signs |= (u32)(differ <= staged.decide[neuron]) << neuron;
        }
        if (inside) {
            output_of(l, blockIdx.y, sample)[first / 32] = signs;
        }
    }
}

// Threads: (samples, genomes), as for the following.
KERNEL population_counts(Layer l) {
    __shared__ Staged<HELD> staged;
    run_dense<false>(l, staged);
}

KERNEL population_adders(Layer l) {
    __shared__ Staged<HELD> staged;
    run_dense<true>(l, staged);
}

#if defined(BIT_PRODUCTS)

// Products of 128 bits that a warp holds of a sample.
static const u32 STEPS = 8;

// Dense layers of up to 32 words a neuron whose output is one row. A warp holds 32 samples in registers and meets 32 neurons at a
// time; thread (group, quarter) has the signs of samples `group` + 8 k for two neurons of every eight.
template <bool BOTH> DEVICE void run_products(const Layer &l, Staged<32> &staged) {
    u32 lane = lane_of_thread(), group = lane / 4, quarter = lane % 4;
    u32 first_sample = blockIdx.x * blockDim.x + warp_of_thread() * 32;
    u32 x[4][STEPS];
    i32 set[4] = {};
#pragma unroll
    for (u32 part = 0; part < 4; part++) {
        u32 sample = first_sample + part * 8 + group;
        const u32 *input = input_of(l, blockIdx.y, sample < l.samples ? sample : 0);
#pragma unroll
        for (u32 step = 0; step < STEPS; step++) {
            u32 word = step * 4 + quarter;
            x[part][step] = word < l.row_words && sample < l.samples ? input[word] : 0;
            set[part] += __popc(x[part][step]);
        }
        set[part] += (i32)__shfl_xor_sync(ALL, (u32)set[part], 1);
        set[part] += (i32)__shfl_xor_sync(ALL, (u32)set[part], 2);
    }
    for (u32 first = 0; first < l.neurons; first += STAGED) {
        stage_weights(l, genome_of(l, blockIdx.y), first, staged);
        if (BOTH && threadIdx.x < STAGED) {
            // On where set(x) + set(w) - 2 both <= threshold.
            i32 of_row = 0;
            for (u32 word = 0; word < 32; word++) {
                of_row += __popc(staged.rows[threadIdx.x][word]);
            }
            staged.decide[threadIdx.x] -= of_row;
        }
        if (BOTH) {
            __syncthreads();
        }
        u32 signs[4] = {};
#pragma unroll
        for (u32 eight = 0; eight < 4; eight++) {
            i32 sums[2][4] = {};
#pragma unroll
            for (u32 step = 0; step < STEPS; step++) {
                if (step * 4 < l.row_words) {
                    u32 b = staged.rows[eight * 8 + group][step * 4 + quarter];
                    multiply_bits<BOTH>(sums[0], x[0][step], x[1][step], b);
                    multiply_bits<BOTH>(sums[1], x[2][step], x[3][step], b);
                }
            }
#pragma unroll
            for (u32 part = 0; part < 4; part++) {
#pragma unroll
                for (u32 odd = 0; odd < 2; odd++) {
                    u32 neuron = eight * 8 + quarter * 2 + odd;
                    i32 sum = sums[part / 2][part % 2 * 2 + odd];
                    i32 differ = BOTH ? set[part] - 2 * sum : sum;
                    // Neurons past the last have no weights: their bound is below zero, but both forms could reach it.
                    bool on = differ <= staged.decide[neuron] && first + neuron < l.neurons;
                    signs[part] |= (u32)on << neuron;
                }
            }
        }
#pragma unroll
        for (u32 part = 0; part < 4; part++) {
            signs[part] |= __shfl_xor_sync(ALL, signs[part], 1);
            signs[part] |= __shfl_xor_sync(ALL, signs[part], 2);
            u32 sample = first_sample + part * 8 + group;
            if (quarter == part && sample < l.samples) {
                output_of(l, blockIdx.y, sample)[first / 32] = signs[part];
            }
        }
    }
}

KERNEL population_differ(Layer l) {
    __shared__ Staged<32> staged;
    run_products<false>(l, staged);
}
#endif

#if defined(BYTE_PRODUCTS)
KERNEL population_both(Layer l) {
    __shared__ Staged<32> staged;
    run_products<true>(l, staged);
}
#endif

// Runs the last layer and adds to sums, [genomes][2], the loss of all samples and how many are right. Threads: (samples, genomes).
KERNEL population_loss(Layer l, const u8 *labels, const i32 *terms, i32 zero, i64 *sums) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x;
    const u32 *genome = genome_of(l, blockIdx.y);
    i32 loss = 0;
    bool correct = false;
    if (sample < l.samples) {
        const u32 *input = input_of(l, blockIdx.y, sample), *rows = genome + l.weights;
        u32 right = labels[sample], best = 0;
        const u32 *thresholds = genome + l.thresholds;
        i32 of_right = (i32)field_of(thresholds, l.threshold_bits, right)
                       - (i32)mismatches(input, rows + right * l.row_words, l.row_words);
        i32 of_best = 0;
        for (u32 label = 0; label < l.neurons; label++) {
            i32 score = (i32)field_of(thresholds, l.threshold_bits, label)
                        - (i32)mismatches(input, rows + label * l.row_words, l.row_words);
            loss += label == right ? 0 : terms[score - of_right + zero];
            // The lowest among equals.
            if (label == 0 || score > of_best) {
                of_best = score;
                best = label;
            }
        }
        correct = best == right;
    }
    i64 all = long_sum_of_warp(loss);
    u32 rights = __ballot_sync(ALL, correct);
    if (lane_of_thread() == 0) {
        add(sums + 2 * blockIdx.y, all);
        add(sums + 2 * blockIdx.y + 1, __popc(rights));
    }
}
