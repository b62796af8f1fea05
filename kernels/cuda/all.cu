// All kernels as one source: what is compiled to PTX.

#include "spectrum.cu"
#include "apply.cu"
