// All kernels as one source: what is compiled to PTX.

#include "population.cu"
#include "spectrum.cu"
#include "apply.cu"
#include "ceiling.cu"
