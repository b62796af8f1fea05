//! Puts the linker scripts where the linker looks for them.

fn main() {
    println!("cargo:rustc-link-search={}", env!("CARGO_MANIFEST_DIR"));
    for script in SCRIPTS {
        println!("cargo:rustc-link-arg=-T{script}");
    }
    for script in ["memory.x", "sections.x"] {
        println!("cargo:rerun-if-changed={script}");
    }
}

const SCRIPTS: [&str; 3] = ["memory.x", "sections.x", "defmt.x"];
