//! With the feature `shim`: compiles the kernels for the CPU.

fn main() {
    println!("cargo::rerun-if-changed=cuda");
    println!("cargo::rerun-if-changed=shim");
    #[cfg(feature = "shim")]
    cc::Build::new()
        .cpp(true)
        .std("c++20")
        .file("shim/shim.cpp")
        .include("shim")
        .include("cuda")
        .define("EVOBIT_SHIM", None)
        // Fibers jump between stacks, which the checked longjmp takes for an error; kernels read words as bytes.
        .flag("-U_FORTIFY_SOURCE")
        .flag("-fno-strict-aliasing")
        .flag_if_supported("-Wno-unknown-pragmas")
        .flag_if_supported("-Wno-clobbered")
        .opt_level(2)
        .compile("evobit_shim");
}
