//! Puts the linker script where the linker looks for it.

fn main() {
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rustc-link-search={}", env!("CARGO_MANIFEST_DIR"));
    for script in SCRIPTS {
        println!("cargo:rustc-link-arg=-T{script}");
    }
}

const SCRIPTS: [&str; 1] = ["link.x"];
