//! CPU or GPU, as users ask for them; on machines without a GPU.

use std::path::Path;

use tests::program::Folder;

/// True, and said loudly, where these tests would find a GPU.
fn has_gpu() -> bool {
    let has = Path::new("/dev/nvidiactl").exists();
    if has {
        eprintln!("SKIPPED: this machine has a GPU");
    }
    has
}

#[test]
fn a_gpu_that_is_not_there_is_one_line_and_exit_code_1() {
    if has_gpu() {
        return;
    }
    let folder = Folder::new();
    for args in ["train --data digits --backend cuda", "bench --backend cuda --seconds 0.01"] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{args}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{args}: {ran:?}");
        assert!(
            ran.stderr.contains("CUDA") && ran.stderr.contains("--backend cpu or auto"),
            "{args}: {ran:?}"
        );
        assert!(folder.contents().is_empty(), "{args}: nothing is left behind");
    }
}

#[test]
fn training_says_which_backend_it_took() {
    if has_gpu() {
        return;
    }
    let folder = Folder::new();
    let train = "train --data iris --hidden 4 --sweeps 1 --out";
    let little = "backend: CPU, done with ";
    for (backend, says) in [("auto", little), ("cpu", "backend: CPU, as asked for")] {
        let ran = folder.run(&format!("{train} {backend} --backend {backend}"));
        assert!(ran.code == Some(0) && ran.stderr.contains(says), "{ran:?}");
    }
    assert_eq!(folder.read("auto/model.evb"), folder.read("cpu/model.evb"));
}
