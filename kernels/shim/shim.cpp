// Fibers, and the table of kernels. A fiber begins by makecontext and then switches by _setjmp and _longjmp, which ask the system
// for nothing.

#include "../cuda/all.cu"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ucontext.h>
#include <utility>
#include <vector>

namespace shim {

thread_local Index thread_index, block_index, block_size, grid_size;

namespace {

const unsigned int MOST_THREADS = 1024;
const size_t STACK = 64 << 10;

struct Fiber {
    ucontext_t start;
    jmp_buf at;
    bool begun, done;
    char *stack;
};

struct Warp {
    unsigned int arrived, generation;
    unsigned int values[2][32];
};

// A launch on this thread of the machine.
struct Launch {
    std::vector<Fiber> fibers;
    Warp warps[MOST_THREADS / 32];
    unsigned int threads, running, left, arrived, generation, idle;
    jmp_buf scheduler;
    void (*kernel)(void **);
    void **arguments;
};

thread_local Launch launch;

[[noreturn]] void fail(const char *what) {
    std::fprintf(stderr, "shim: %s\n", what);
    std::abort();
}

void enter() {
    launch.kernel(launch.arguments);
    launch.fibers[launch.running].done = true;
    launch.left--;
    launch.idle = 0;
    _longjmp(launch.scheduler, 1);
}

// Lets the other fibers run.
void yield() {
    if (_setjmp(launch.fibers[launch.running].at) == 0) {
        _longjmp(launch.scheduler, 1);
    }
}

void run(unsigned int thread) {
    Fiber &fiber = launch.fibers[thread];
    launch.running = thread;
    thread_index = {thread, 0};
    if (_setjmp(launch.scheduler) != 0) {
        return;
    }
    if (fiber.begun) {
        _longjmp(fiber.at, 1);
    }
    fiber.begun = true;
    getcontext(&fiber.start);
    fiber.start.uc_stack.ss_sp = fiber.stack;
    fiber.start.uc_stack.ss_size = STACK;
    fiber.start.uc_link = nullptr;
    makecontext(&fiber.start, enter, 0);
    setcontext(&fiber.start);
}

// Waits until `generation` moves on. All fibers waiting in vain means that one did not come.
void wait(const unsigned int &generation) {
    unsigned int now = generation;
    while (generation == now) {
        if (launch.idle++ > 4 * launch.threads) {
            fail("threads wait for one that does not come");
        }
        yield();
    }
}

void run_block(bool backwards) {
    std::memset(launch.warps, 0, sizeof launch.warps);
    launch.arrived = launch.generation = launch.idle = 0;
    launch.left = launch.threads;
    for (unsigned int thread = 0; thread < launch.threads; thread++) {
        launch.fibers[thread].begun = launch.fibers[thread].done = false;
    }
    while (launch.left > 0) {
        for (unsigned int index = 0; index < launch.threads; index++) {
            unsigned int thread = backwards ? launch.threads - 1 - index : index;
            if (!launch.fibers[thread].done) {
                run(thread);
            }
        }
    }
}

template <class... Arguments, size_t... Indices>
void call_with(void (*kernel)(Arguments...), void **arguments, std::index_sequence<Indices...>) {
    kernel(*(Arguments *)arguments[Indices]...);
}

template <class... Arguments> void call(void (*kernel)(Arguments...), void **arguments) {
    call_with(kernel, arguments, std::index_sequence_for<Arguments...>());
}

struct Entry {
    const char *name;
    void (*kernel)(void **);
};

#define ENTRY(name) {#name, [](void **arguments) { call(name, arguments); }}
const Entry ENTRIES[] = {
    ENTRY(spectrum_masked),  ENTRY(spectrum_tensor),     ENTRY(spectrum_planes),    ENTRY(spectrum_classes),
    ENTRY(apply_views),      ENTRY(apply_neurons),       ENTRY(apply_scores),       ENTRY(apply_measure),
    ENTRY(apply_try_neuron), ENTRY(apply_try_class),     ENTRY(apply_genome),       ENTRY(apply_commit_neuron),
    ENTRY(apply_commit_class), ENTRY(population_layer), ENTRY(population_windows), ENTRY(population_counts),
    ENTRY(population_adders), ENTRY(population_differ), ENTRY(population_both), ENTRY(population_loss),
    ENTRY(ceiling_counts), ENTRY(ceiling_differ), ENTRY(ceiling_both), ENTRY(apply_fields),
    ENTRY(spectrum_sliding_masked), ENTRY(spectrum_sliding_tensor), ENTRY(apply_try_sliding),
};

} // namespace

const unsigned int *meet_warp(unsigned int mask, unsigned int value) {
    if (mask != 0xffffffffu) {
        fail("a part of a warp meets");
    }
    Warp &warp = launch.warps[launch.running / 32];
    // Those who meet next write to the other half, so nobody has to wait for all to have read.
    unsigned int *values = warp.values[warp.generation % 2];
    values[launch.running % 32] = value;
    launch.idle = 0;
    if (++warp.arrived == 32) {
        warp.arrived = 0;
        warp.generation++;
    } else {
        wait(warp.generation);
    }
    return values;
}

void meet_block() {
    launch.idle = 0;
    if (++launch.arrived == launch.threads) {
        launch.arrived = 0;
        launch.generation++;
    } else {
        wait(launch.generation);
    }
}

} // namespace shim

// Runs a kernel on blocks of `threads` threads, a multiple of 32. False where there is no such kernel. Every other block runs its
// threads backwards: what depends on their order is found.
extern "C" bool evobit_shim_launch(const char *name, unsigned int columns, unsigned int rows, unsigned int threads,
                                   void **arguments) {
    using namespace shim;
    for (const Entry &entry : ENTRIES) {
        if (std::strcmp(entry.name, name) != 0) {
            continue;
        }
        if (threads % 32 != 0 || threads > MOST_THREADS) {
            fail("blocks are of whole warps");
        }
        while (launch.fibers.size() < threads) {
            launch.fibers.push_back({{}, {}, false, false, (char *)std::malloc(STACK)});
        }
        launch.threads = threads;
        launch.kernel = entry.kernel;
        launch.arguments = arguments;
        block_size = {threads, 1};
        grid_size = {columns, rows};
        for (unsigned int row = 0; row < rows; row++) {
            for (unsigned int column = 0; column < columns; column++) {
                block_index = {column, row};
                run_block((row + column) % 2 == 1);
            }
        }
        return true;
    }
    return false;
}
