// A driver that is none: the functions of libcuda that evobit calls, on the kernels compiled for the CPU. With it the program itself
// runs as on a card, from loading the library to the last copy. It has the functions of CUDA 10.2 alone, so that a call of a newer one
// is found. Built by tests/gpu --dry-run.
//
// EVOBIT_SHIM_CAPABILITY is the compute capability, 90 unless set; below 60 it reads PTX up to 6.5 only, as a Jetson Nano's driver
// does. EVOBIT_SHIM_DEVICES is the number of cards, 1 unless set. EVOBIT_SHIM_FAIL is the number of launches after which one fails on a
// card, EVOBIT_SHIM_MEMORY a card's memory in bytes. EVOBIT_SHIM_LOG is a file that gets the launches of each card in the end.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

extern "C" bool evobit_shim_launch(const char *name, unsigned int columns, unsigned int rows, unsigned int threads,
                                   void **arguments);

namespace {

enum Result {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    UNSUPPORTED_PTX = 222,
    NOT_FOUND = 500,
    LAUNCH_FAILED = 719,
};

const int MULTIPROCESSORS = 16, MAJOR = 75, MINOR = 76;

long long setting(const char *name, long long otherwise) {
    const char *value = std::getenv(name);
    return value ? std::atoll(value) : otherwise;
}

const int MOST_CARDS = 8;

std::mutex lock;

// A card is its context as well.
struct Card {
    std::map<unsigned long long, size_t> allocations;
    size_t used;
    long long launches;
    bool broken;

    // All of it must lie in one allocation of this card.
    bool inside(unsigned long long address, size_t bytes) const {
        auto after = allocations.upper_bound(address);
        if (after == allocations.begin()) {
            return false;
        }
        --after;
        return address + bytes <= after->first + after->second;
    }
};

int count() { return (int)setting("EVOBIT_SHIM_DEVICES", 1); }

struct Cards {
    Card all[MOST_CARDS] = {};

    ~Cards() {
        const char *path = std::getenv("EVOBIT_SHIM_LOG");
        FILE *file = path ? std::fopen(path, "w") : nullptr;
        for (int card = 0; file && card < count(); card++) {
            std::fprintf(file, "%lld\n", all[card].launches);
        }
        if (file) {
            std::fclose(file);
        }
    }
} cards;

// The context of this thread.
thread_local Card *current;

struct Module {
    Card *card;
    std::string ptx;
};

struct Function {
    Card *card;
    std::string name;
};

size_t memory() { return (size_t)setting("EVOBIT_SHIM_MEMORY", 1ll << 32); }

} // namespace

extern "C" {

int cuInit(unsigned int) { return SUCCESS; }

int cuDeviceGetCount(int *found) {
    *found = count();
    return count() <= MOST_CARDS ? SUCCESS : INVALID_VALUE;
}

int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal >= 0 && ordinal < count() ? SUCCESS : INVALID_VALUE;
}

int cuDeviceGetName(char *name, int length, int) {
    std::snprintf(name, (size_t)length, "CPU in place of a GPU");
    return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int attribute, int) {
    long long capability = setting("EVOBIT_SHIM_CAPABILITY", 90);
    *value = (int)(attribute == MAJOR ? capability / 10 : attribute == MINOR ? capability % 10 : 1);
    return attribute == MAJOR || attribute == MINOR || attribute == MULTIPROCESSORS ? SUCCESS : INVALID_VALUE;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
    *context = &cards.all[device];
    return SUCCESS;
}

int cuCtxSetCurrent(void *context) {
    current = (Card *)context;
    return current >= cards.all && current < cards.all + count() ? SUCCESS : INVALID_VALUE;
}

int cuCtxSynchronize() {
    std::lock_guard<std::mutex> guard(lock);
    return current->broken ? LAUNCH_FAILED : SUCCESS;
}

int cuMemGetInfo_v2(size_t *available, size_t *total) {
    std::lock_guard<std::mutex> guard(lock);
    *total = memory();
    *available = *total - current->used;
    return SUCCESS;
}

int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
    std::lock_guard<std::mutex> guard(lock);
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    if (current->used + bytes > memory()) {
        return OUT_OF_MEMORY;
    }
    // Memory of a card is not zero.
    void *got = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    std::memset(got, 0xa5, bytes);
    *address = (unsigned long long)got;
    current->allocations[*address] = bytes;
    current->used += bytes;
    return SUCCESS;
}

int cuMemFree_v2(unsigned long long address) {
    std::lock_guard<std::mutex> guard(lock);
    auto found = current->allocations.find(address);
    if (found == current->allocations.end()) {
        return INVALID_VALUE;
    }
    current->used -= found->second;
    current->allocations.erase(found);
    std::free((void *)address);
    return SUCCESS;
}

int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t bytes) {
    std::lock_guard<std::mutex> guard(lock);
    if (current->broken || !current->inside(to, bytes)) {
        return current->broken ? LAUNCH_FAILED : INVALID_VALUE;
    }
    std::memcpy((void *)to, from, bytes);
    return SUCCESS;
}

int cuMemcpyDtoH_v2(void *to, unsigned long long from, size_t bytes) {
    std::lock_guard<std::mutex> guard(lock);
    if (current->broken || !current->inside(from, bytes)) {
        return current->broken ? LAUNCH_FAILED : INVALID_VALUE;
    }
    std::memcpy(to, (const void *)from, bytes);
    return SUCCESS;
}

int cuMemsetD8_v2(unsigned long long to, unsigned char value, size_t bytes) {
    std::lock_guard<std::mutex> guard(lock);
    if (current->broken || !current->inside(to, bytes)) {
        return current->broken ? LAUNCH_FAILED : INVALID_VALUE;
    }
    std::memset((void *)to, value, bytes);
    return SUCCESS;
}

int cuModuleLoadData(void **module, const void *image) {
    const char *ptx = (const char *)image, *version = std::strstr(ptx, "\n.version ");
    if (!version) {
        return INVALID_VALUE;
    }
    if (setting("EVOBIT_SHIM_CAPABILITY", 90) < 60 && std::atof(version + 10) > 6.5) {
        return UNSUPPORTED_PTX;
    }
    *module = new Module{current, ptx};
    return SUCCESS;
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
    const Module *of = (const Module *)module;
    std::string entry = std::string(".entry ") + name + "(";
    if (of->card != current || of->ptx.find(entry) == std::string::npos) {
        return NOT_FOUND;
    }
    *function = new Function{current, name};
    return SUCCESS;
}

int cuLaunchKernel(void *function, unsigned int columns, unsigned int rows, unsigned int planes, unsigned int threads,
                   unsigned int second, unsigned int third, unsigned int shared, void *stream, void **arguments,
                   void **extra) {
    std::lock_guard<std::mutex> guard(lock);
    const Function *kernel = (const Function *)function;
    bool wrong = columns == 0 || rows == 0 || rows > 65535 || planes != 1 || second != 1 || third != 1;
    if (wrong || threads == 0 || shared != 0 || stream || extra || kernel->card != current) {
        return INVALID_VALUE;
    }
    // As on a card: the launch goes well, what waits for it does not.
    long long failing = setting("EVOBIT_SHIM_FAIL", -1);
    current->broken = current->broken || (failing >= 0 && current->launches >= failing);
    current->launches++;
    if (current->broken) {
        return SUCCESS;
    }
    return evobit_shim_launch(kernel->name.c_str(), columns, rows, threads, arguments) ? SUCCESS : NOT_FOUND;
}

int cuGetErrorName(int error, const char **name) {
    switch (error) {
    case OUT_OF_MEMORY:
        *name = "CUDA_ERROR_OUT_OF_MEMORY";
        break;
    case UNSUPPORTED_PTX:
        *name = "CUDA_ERROR_UNSUPPORTED_PTX_VERSION";
        break;
    case NOT_FOUND:
        *name = "CUDA_ERROR_NOT_FOUND";
        break;
    case LAUNCH_FAILED:
        *name = "CUDA_ERROR_LAUNCH_FAILED";
        break;
    default:
        *name = "CUDA_ERROR_INVALID_VALUE";
    }
    return SUCCESS;
}

int cuGetErrorString(int error, const char **text) { return cuGetErrorName(error, text); }
}
