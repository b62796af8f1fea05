// Spectra: the exact change of loss of every single-bit mutant of many neurons, of one network or of several at once.
//
// Hidden neurons. A warp takes one neuron and some tiles of 1024 samples: it compacts the boundary samples of the tile to a list, finds for
// each the change of loss d of the flipped output, and adds d to the weights whose flip turns the neuron there. That masked sum is a
// product of bytes on tensor cores from sm_80 on: a mask bit stays where it is in its byte, so the sum of bit g is 2^g times too
// large and shifted back at the end, and d is three signed bytes. The other form adds under a mask, for all cards.
//
// Traffic, for each neuron and boundary sample: 4 * row words of what it sees and 2 * class slots of moves, most of both from the L1
// and L2 caches, a sector of 32 bytes at least; for each neuron and sample two bits. Ceiling on an H200, 1024 windows of 8x8, 60 000
// images, 11 % on the boundary: 6.8 million pairs of 64 bytes are 433 MB, 80 us at 5.5 TB/s of the L2 cache, less what L1 holds;
// about 110 instructions a pair are 45 us at 132 x 64 integer lanes. So 65 to 130 us for 67 584 mutants, 0.5 to 1 billion a second.
//
// Windows that slide. A field of 32 bytes takes the place of what a neuron sees, and the bits that differ at any position that decides
// that of its mismatches; 25 positions are about 340 more instructions a pair, 50 of them POPC at a quarter of the rate: expected are a third
// of the mutants a second.
//
// Several networks. A neuron is a job with its network, so that a launch has work for the whole card where one network's block of
// neurons is too little: 16 neurons and 59 tiles are an eighth of the warps that an H200 holds.
//
// Classes. Every sample takes part, with a change of loss for a step up and one for a step down. Their difference is cut into bit
// planes, and a sum over the samples where a hidden neuron is on is a population count for each plane. Traffic: sample words for each
// class, plane and neuron; ceiling the rate of POPC.

#include "landscape.cuh"
#include "tensor.cuh"

static const u32 WARPS = 4;

// A hidden neuron whose spectrum is wanted. host/src/backend/cuda/landscape/together.rs has the same.
struct Job {
    const Landscape *landscape; // of any network and samples
    i64 *sums;                  // [fan in + 2]
    u32 visit, padding;
};

static_assert(sizeof(Job) == 24, "as in the host");

struct Work {
    Landscape landscape;
    Against against;
    u16 list[TILE];                // samples of the tile; the top bit where the neuron is on
    alignas(16) u8 limbs[4][TILE]; // changes of loss: three signed bytes each, or whole as i32
    alignas(16) u32 stage[64];     // what flips of weights turn on 32 samples, 64 weights at a time
};

static const u32 ON = 0x8000;

// Lists the boundary samples of a tile and returns how many there are.
DEVICE u32 compact(const Landscape &l, u32 neuron, u32 tile, Work &work) {
    u64 word = (u64)neuron * l.sample_words + tile * (TILE / 32) + lane_of_thread();
    u32 marks = l.boundary[word], on = l.on[word];
    u32 count = __popc(marks), place = sum_below(count);
    while (marks != 0) {
        u32 bit = __ffs((i32)marks) - 1;
        work.list[place++] = (u16)((lane_of_thread() * 32 + bit) | (on >> bit & 1) * ON);
        marks &= marks - 1;
    }
    u32 found = __shfl_sync(ALL, place, 31);
    __syncwarp();
    return found;
}

// Finds the changes of loss of the listed samples; adds them up over those that are off and those that are on.
template <bool TENSOR>
DEVICE void find_changes(const Landscape &l, u32 tile, u32 found, Work &work, i64 *steps) {
    i32 raised = 0, lowered = 0;
    for (u32 first = 0; first < found; first += 32) {
        u32 place = first + lane_of_thread();
        i32 change = 0;
        if (place < found) {
            u32 entry = work.list[place];
            u32 on = entry >= ON;
            change = flip_change(l, work.against, tile * TILE + entry % TILE, on);
            raised += on ? 0 : change;
            lowered += on ? change : 0;
        }
        if (TENSOR) {
            // Digits of -128 to 127: three hold 2^22 either way.
            i32 low = (signed char)change, rest = (change - low) >> 8;
            i32 middle = (signed char)rest;
            work.limbs[0][place] = (u8)low;
            work.limbs[1][place] = (u8)middle;
            work.limbs[2][place] = (u8)((rest - middle) >> 8);
        } else {
            ((i32 *)work.limbs)[place] = change;
        }
    }
    raised = sum_of_warp(raised);
    lowered = sum_of_warp(lowered);
    if (lane_of_thread() == 0 && found > 0) {
        add(steps, raised);
        add(steps + 1, lowered);
    }
    __syncwarp();
}

// A neuron while its spectrum is made.
struct Neuron {
    u32 visit;
    // Where its window slides:
    Pattern pattern;
    i32 threshold;
};

template <bool SLIDES> DEVICE Neuron neuron_at(const Landscape &l, u32 visit) {
    Neuron neuron;
    neuron.visit = visit;
    if (SLIDES) {
        neuron.pattern = pattern_of(packed_weights(l, neuron_of(visit)), l.height, l.width);
        neuron.threshold = (i32)threshold_of(l, neuron_of(visit));
    }
    return neuron;
}

// For one listed sample: which of 64 weights, from `word` on, turn the neuron there if they flip. Of a window that slides, which of the bits
// of its pattern.
template <bool SLIDES>
DEVICE Two turned(const Landscape &l, const Neuron &neuron, u32 sample, u32 word, u32 on) {
    const u32 *seen = view_of(l, slot_of(neuron.visit), sample);
    // Just on: an input that agrees makes a mismatch. Just off: one that differs removes one.
    u32 invert = on ? ALL : 0;
    Two bits = {0, 0};
    if (SLIDES) {
        // Positions with one mismatch too many turn on where one of these goes. On are those with none too many, and all of them turn off by
        // a bit that differs at none; where it differs at one that is just off, that turns on instead.
        fewest<true>(field_at(seen, l.view_words), neuron.pattern, l.slide, neuron.threshold + 1, bits);
        bits.low ^= invert;
        bits.high ^= invert;
        return bits;
    }
    const u32 *weights = weights_of(l, neuron_of(neuron.visit)) + word;
    if (l.row_words == 2) {
        Two both = *(const Two *)seen;
        bits.low = both.low ^ weights[0] ^ invert;
        bits.high = both.high ^ weights[1] ^ invert;
        return bits;
    }
    bits.low = seen[word] ^ weights[0] ^ invert;
    bits.high = word + 1 < l.row_words ? seen[word + 1] ^ weights[1] ^ invert : 0;
    return bits;
}

// The weight that is bit `bit` of those 64; past all where it is none.
template <bool SLIDES> DEVICE u32 weight_at(const Landscape &l, u32 word, u32 bit) {
    return SLIDES ? weight_of_bit(bit, l.height, l.width) : word * 32 + bit;
}

template <bool SLIDES>
DEVICE Two turned_by(
    const Landscape &l, const Neuron &neuron, u32 tile, u32 found, u32 place, u32 word, const Work &work
) {
    Two bits = {0, 0};
    if (place < found) {
        u32 entry = work.list[place];
        bits = turned<SLIDES>(l, neuron, tile * TILE + entry % TILE, word, entry >= ON);
    }
    return bits;
}

// Each lane owns two weights and adds the changes of loss of the samples that they turn.
template <bool SLIDES>
DEVICE void add_masked(const Landscape &l, const Neuron &neuron, u32 tile, u32 found, u32 word, Work &work, i64 *sums) {
    const i32 *changes = (const i32 *)work.limbs;
    u32 lane = lane_of_thread();
    i32 low = 0, high = 0;
    for (u32 first = 0; first < found; first += 32) {
        Two bits = turned_by<SLIDES>(l, neuron, tile, found, first + lane, word, work);
        work.stage[lane] = bits.low;
        work.stage[32 + lane] = bits.high;
        __syncwarp();
        for (u32 place = 0; place < 32; place++) {
            i32 change = changes[first + place];
            low += work.stage[place] >> lane & 1 ? change : 0;
            high += work.stage[32 + place] >> lane & 1 ? change : 0;
        }
        __syncwarp();
    }
    u32 first = weight_at<SLIDES>(l, word, lane), second = weight_at<SLIDES>(l, word, 32 + lane);
    if (first < l.fan_in && low != 0) {
        add(sums + first, low);
    }
    if (second < l.fan_in && high != 0) {
        add(sums + second, high);
    }
}

// The same as a product: rows are weights, the inner dimension is samples, columns are the three bytes of a change. Thread (group,
// quarter) holds weights `group` of each byte, and of the 32 samples the 8 from `8 * quarter` on.
template <bool SLIDES>
DEVICE void add_products(
    const Landscape &l, const Neuron &neuron, u32 tile, u32 found, u32 word, Work &work, i32 products[4][4]
) {
    u32 lane = lane_of_thread(), group = lane / 4, quarter = lane % 4;
    u32 mask = 0x01010101u << group;
    u8 *stage = (u8 *)work.stage;
    for (u32 first = 0; first < found; first += 32) {
        Two bits = turned_by<SLIDES>(l, neuron, tile, found, first + lane, word, work);
        for (u32 byte = 0; byte < 4; byte++) {
            stage[byte * 32 + lane] = (u8)(bits.low >> byte * 8);
            stage[(4 + byte) * 32 + lane] = (u8)(bits.high >> byte * 8);
        }
        __syncwarp();
        u32 b[2] = {0, 0};
        if (group < 3) {
            Two limbs = *(const Two *)(work.limbs[group] + first + quarter * 8);
            b[0] = limbs.low;
            b[1] = limbs.high;
        }
#pragma unroll
        for (u32 half = 0; half < 4; half++) {
            Two even = *(const Two *)(stage + 2 * half * 32 + quarter * 8);
            Two odd = *(const Two *)(stage + (2 * half + 1) * 32 + quarter * 8);
            u32 a[4] = {even.low & mask, odd.low & mask, even.high & mask, odd.high & mask};
            multiply_bytes(products[half], a, b);
        }
        __syncwarp();
    }
}

// Adds such products to the spectrum. Columns 0 and 1 are in quarter 0, column 2 in quarter 1.
template <bool SLIDES>
DEVICE void write_products(const Landscape &l, u32 word, const i32 products[4][4], i64 *sums) {
    u32 group = lane_of_thread() / 4, quarter = lane_of_thread() % 4;
    if (quarter > 1) {
        return;
    }
#pragma unroll
    for (u32 half = 0; half < 4; half++) {
#pragma unroll
        for (u32 odd = 0; odd < 2; odd++) {
            i64 first = products[half][2 * odd], second = products[half][2 * odd + 1];
            i64 sum = quarter == 0 ? first + second * 256 : first * 65536;
            u32 input = weight_at<SLIDES>(l, word, (2 * half + odd) * 8 + group);
            if (input < l.fan_in && sum != 0) {
                add(sums + input, sum >> group);
            }
        }
    }
}

// Tiles from `tiles` times the block's row on; their products stay in registers where a neuron has up to 64 inputs: three bytes times
// 128 over 64 tiles stay below 2^30.
template <bool TENSOR, bool SLIDES>
DEVICE void hidden_spectra(const Job *jobs, u32 count, u32 tiles, Work &work) {
    u32 index = blockIdx.x * WARPS + warp_of_thread(), first = blockIdx.y * tiles;
    if (index >= count) {
        return;
    }
    Job job = jobs[index];
    // Beside the warp: all that follows asks for it again and again.
    for (u32 word = lane_of_thread(); word < sizeof(Landscape) / 4; word += 32) {
        ((u32 *)&work.landscape)[word] = ((const u32 *)job.landscape)[word];
    }
    __syncwarp();
    const Landscape &l = work.landscape;
    u32 all = l.sample_words / (TILE / 32), end = first + tiles < all ? first + tiles : all;
    bool narrow = l.row_words <= 2;
    i32 products[4][4] = {};
    find_against(l, neuron_of(job.visit), work.against);
    Neuron neuron = neuron_at<SLIDES>(l, job.visit);
    for (u32 tile = first; tile < end; tile++) {
        u32 found = compact(l, neuron_of(job.visit), tile, work);
        find_changes<TENSOR>(l, tile, found, work, job.sums + l.fan_in);
        if (TENSOR && narrow) {
            add_products<SLIDES>(l, neuron, tile, found, 0, work, products);
        }
        for (u32 word = 0; word < l.row_words && !(TENSOR && narrow); word += 2) {
            if (TENSOR) {
                i32 of_tile[4][4] = {};
                add_products<SLIDES>(l, neuron, tile, found, word, work, of_tile);
                write_products<SLIDES>(l, word, of_tile, job.sums);
            } else {
                add_masked<SLIDES>(l, neuron, tile, found, word, work, job.sums);
            }
        }
    }
    if (TENSOR && narrow) {
        write_products<SLIDES>(l, 0, products, job.sums);
    }
}

// Adds to the sums of `count` jobs the spectra of their neurons. Blocks of 128 threads: (jobs / 4, all tiles / tiles), so that blocks
// that run together share the moves of few tiles in their caches; of networks with fewer tiles than others some blocks have no work.
KERNEL spectrum_masked(const Job *jobs, u32 count, u32 tiles) {
    __shared__ Work work[WARPS];
    hidden_spectra<false, false>(jobs, count, tiles, work[warp_of_thread()]);
}

// The same where windows slide.
KERNEL spectrum_sliding_masked(const Job *jobs, u32 count, u32 tiles) {
    __shared__ Work work[WARPS];
    hidden_spectra<false, true>(jobs, count, tiles, work[warp_of_thread()]);
}

#if defined(BYTE_PRODUCTS)
// Both on tensor cores.
KERNEL spectrum_tensor(const Job *jobs, u32 count, u32 tiles) {
    __shared__ Work work[WARPS];
    hidden_spectra<true, false>(jobs, count, tiles, work[warp_of_thread()]);
}

KERNEL spectrum_sliding_tensor(const Job *jobs, u32 count, u32 tiles) {
    __shared__ Work work[WARPS];
    hidden_spectra<true, true>(jobs, count, tiles, work[warp_of_thread()]);
}
#endif

// The change of a sample's loss if the score of `label` moved by `step`.
DEVICE i32 score_change(const Landscape &l, u32 label, u32 sample, i32 step) {
    const i32 *ahead = l.ahead + (u64)sample * l.classes;
    u32 right = l.labels[sample];
    if (label != right) {
        return term(l, ahead[label] + step) - term(l, ahead[label]);
    }
    i32 change = 0;
    for (u32 other = 0; other < l.classes; other++) {
        change += other == right ? 0 : term(l, ahead[other] - step) - term(l, ahead[other]);
    }
    return change;
}

// For some classes: cuts up - down, the changes of loss by a step of the score, into planes, [count][most planes][sample words], two's
// complement, and adds up and down to the entries of the threshold in sums, [count][inputs + 2]. Blocks of 128 threads: (samples /
// 128, count).
KERNEL spectrum_planes(Landscape l, const u32 *visits, u32 planes, u32 *bits, i64 *sums) {
    u32 sample = blockIdx.x * blockDim.x + threadIdx.x, label = visits[blockIdx.y];
    i32 up = 0, down = 0;
    if (sample < l.samples) {
        up = score_change(l, label, sample, 1);
        down = score_change(l, label, sample, -1);
    }
    bits += (u64)blockIdx.y * planes * l.sample_words + sample / 32;
    for (u32 plane = 0; plane < planes; plane++) {
        u32 word = __ballot_sync(ALL, (u32)(up - down) >> plane & 1);
        if (lane_of_thread() == 0 && sample < l.samples) {
            bits[(u64)plane * l.sample_words] = word;
        }
    }
    i64 raised = long_sum_of_warp(up), lowered = long_sum_of_warp(down);
    if (lane_of_thread() == 0) {
        sums += (u64)blockIdx.y * (l.neurons + 2) + l.neurons;
        add(sums, raised);
        add(sums + 1, lowered);
    }
}

// Adds to sums, [count][inputs + 2], up - down over the samples whose hidden bit differs from the weight. One warp a neuron and class,
// blocks of 128 threads: (neurons / 4, count).
KERNEL spectrum_classes(Landscape l, const u32 *visits, u32 planes, const u32 *bits, i64 *sums) {
    u32 neuron = blockIdx.x * WARPS + warp_of_thread();
    if (neuron >= l.neurons) {
        return;
    }
    u32 invert = vote_of(l, neuron, visits[blockIdx.y]) ? ALL : 0;
    const u32 *on = l.on + (u64)neuron * l.sample_words;
    bits += (u64)blockIdx.y * planes * l.sample_words;
    i64 sum = 0;
    for (u32 plane = 0; plane < planes; plane++) {
        u32 set = 0;
        for (u32 word = lane_of_thread(); word < l.sample_words; word += 32) {
            set += __popc((on[word] ^ invert) & bits[(u64)plane * l.sample_words + word]);
        }
        // The top plane is the sign.
        i64 worth = (i64)1 << plane;
        sum += plane + 1 == planes ? -worth * set : worth * set;
    }
    sum = long_sum_of_warp(sum);
    if (lane_of_thread() == 0) {
        // What every weight has in common is the sum of all steps down.
        i64 *of = sums + (u64)blockIdx.y * (l.neurons + 2);
        add(of + neuron, sum + of[l.neurons + 1]);
    }
}
