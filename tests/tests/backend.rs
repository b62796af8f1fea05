//! CPU or GPU, as users ask for them, where no GPU is.

use tests::program::{Folder, Ran};

/// Runs the program; a GPU that this machine may have is hidden from it.
fn run(folder: &Folder, args: &str) -> Ran {
    let mut command = folder.command(args.split(' '));
    command.env("CUDA_VISIBLE_DEVICES", "").output().expect("the program starts").into()
}

#[test]
fn a_gpu_that_is_not_there_is_one_line_and_exit_code_1() {
    let folder = Folder::new();
    for args in ["train --data digits --backend cuda", "bench --backend cuda --seconds 0.01"] {
        let ran = run(&folder, args);
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
    let folder = Folder::new();
    let train = "train --data iris --hidden 4 --sweeps 1 --out";
    let little = "backend: CPU, done with ";
    for (backend, says) in [("auto", little), ("cpu", "backend: CPU, as asked for")] {
        let ran = run(&folder, &format!("{train} {backend} --backend {backend}"));
        assert!(ran.code == Some(0) && ran.stderr.contains(says), "{ran:?}");
    }
    assert_eq!(folder.read("auto/model.evb"), folder.read("cpu/model.evb"));
}
