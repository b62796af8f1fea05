//! Writes the regions of the board that the target stands for, and puts the linker script where the linker looks for it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").unwrap_or_default();
    // The micro:bit has 256 KB of flash and 16 KB of RAM; of the MPS2 64 KB of RAM are used.
    let (model, flash, ram) = if target.starts_with("thumbv6m") {
        ("0x20000", "128K", "16K")
    } else {
        ("0x200000", "2048K", "64K")
    };
    let script = format!(
        "MEMORY\n{{\n  FLASH : ORIGIN = 0, LENGTH = {flash}\n  MODEL : ORIGIN = {model}, LENGTH = 64K\n  RAM : ORIGIN = 0x20000000, LENGTH = {ram}\n}}\n_model_start = ORIGIN(MODEL);\n_model_end = ORIGIN(MODEL) + LENGTH(MODEL);\n"
    );
    let folder = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(folder.join("memory.x"), script).expect("the folder of the build can be written");
    println!("cargo:rustc-link-search={}", folder.display());
    println!("cargo:rustc-link-arg=-Tlink.x");
}
