//! Models onto boards, what they learn home, and back.

use crate::board::{MODEL, Power, flash, folder, number};

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_small_and_a_large_board_answer_learn_and_come_home() {
    answer_learn_and_come_home(&["microbit", "mps2-an386"]);
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run long"]
fn every_other_board_answers_learns_and_comes_home() {
    answer_learn_and_come_home(&["lm3s6965evb", "mps2-an505", "riscv-virt", "aarch64-virt", "jetson"]);
}

fn answer_learn_and_come_home(boards: &[&'static str]) {
    let folder = folder();
    for &board in boards {
        let link = flash(&folder, board);
        let _power = Power(&folder, board);
        // Exactly the host's predictions, on the samples that its run held out and on others.
        let host = folder.json(&format!("eval {MODEL}"));
        let there = folder.json(&format!("link {link} eval"));
        assert_eq!(
            (&there["accuracy"], &there["confusion"]),
            (&host["accuracy"], &host["confusion"]),
            "{board}"
        );
        assert_eq!(there["differs_from_host"], 0);
        let drifted = folder.json(&format!("link {link} eval drift --predictions there.txt"));
        assert_eq!(
            folder.text("there.txt"),
            folder.ok(&format!("predict {MODEL} drift/t10k-images-idx3-ubyte"))
        );

        let learned = folder.json(&format!("link {link} learn drift --samples 200 --idle 60000"));
        assert_eq!((&learned["taught"], &learned["owed"]), (&200.into(), &0.into()));
        let after = folder.json(&format!("link {link} eval drift"));
        let (before, now) = (number(&drifted, "accuracy"), number(&after, "accuracy"));
        assert!(before < 0.6 && now > 0.8, "{board}: {before} before it learned, {now} after");
        assert!(number(&after, "network_accuracy") > before + 0.1, "{board}: the network evolves");

        // Home: the same answers, and a model that the host reads as any other.
        let pulled = folder.json(&format!("link {link} pull --out pulled.evb"));
        let home = folder.json("eval pulled.evb drift");
        for key in ["accuracy", "network_accuracy", "confusion"] {
            assert_eq!(home[key], after[key], "{board}: {key}");
        }
        assert_eq!(folder.json("inspect pulled.evb")["genome_crc"], pulled["genome_crc"]);
        assert_eq!(learned["genome_crc"], pulled["genome_crc"]);

        // And back: what was learned, over the air, to a board that forgot it.
        folder.json(&format!("link {link} reset"));
        let pushed = folder.json(&format!("link {link} push pulled.flips"));
        assert_eq!(pushed["genome_crc"], pulled["genome_crc"]);
        assert_eq!(
            folder.json(&format!("link {link} eval drift"))["network_accuracy"],
            home["network_accuracy"]
        );
    }
    folder.json("train --from pulled.evb --data drift --sweeps 2 --out on");
    let on = folder.json("eval on/model.evb drift");
    let home = folder.json("eval pulled.evb drift");
    assert!(number(&on, "accuracy") > number(&home, "network_accuracy"), "{on} beside {home}");
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn an_update_of_100_flips_takes_400_bytes() {
    let folder = folder();
    let link = flash(&folder, "microbit");
    let _power = Power(&folder, "microbit");
    let model = folder.read(MODEL);
    // The same model with 100 weights flipped, spread over its genome, which ends before the checksum.
    let mut changed = model.clone();
    let genome = folder.json(&format!("inspect {MODEL}"))["genome_bytes"].as_u64().unwrap() as usize;
    let start = model.len() - 4 - genome;
    for flip in 0..100 {
        // Thresholds come first; weights of a dense layer of 192 inputs fill their words.
        changed[start + 60 + flip * 11] ^= 1 << (flip % 8);
    }
    let len = changed.len();
    let checksum = evobit::image::checksum(&changed[..len - 4]);
    changed[len - 4..].copy_from_slice(&checksum.to_le_bytes());
    folder.write("changed.evb", &changed);
    let pushed = folder.json(&format!("link {link} push changed.evb"));
    assert_eq!(pushed["flips"], 100);
    let wire = number(&pushed, "wire_bytes");
    assert!(wire <= 400.0, "{pushed}");
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_board_that_is_watched_shows_that_it_learns() {
    let folder = folder();
    flash(&folder, "mps2-an386");
    let _power = Power(&folder, "mps2-an386");
    let port = "qemu:mps2-an386";
    folder.json(&format!("link {port} learn drift --samples 30"));
    let looks = || -> Vec<serde_json::Value> {
        let text = folder.ok(&format!("link {port} watch --count 2 --interval 0.2 --json"));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let first = looks();
    assert_eq!(first.len(), 2);
    assert!(first.iter().all(|look| look["seen"] == 30 && look["owed"] == 0), "{first:?}");
    folder.json(&format!("link {port} evolve --mutants 20000"));
    let second = looks();
    assert!(number(&second[1], "mutants") >= number(&first[1], "mutants") + 20_000.0, "{second:?}");
    let text = folder.ok(&format!("link {port} watch --count 1"));
    assert!(text.starts_with("seen 30, stored 30, right "), "{text}");
    let ran = folder.run(&format!("link {port} watch --count 1 --interval -1"));
    assert_eq!((ran.code, ran.stderr.trim().lines().count()), (Some(2), 1), "{}", ran.stderr);
}
