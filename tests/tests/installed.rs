//! What an installed program does where there is no checkout.

use evobit_boards::boards::find;
use evobit_model::Model;
use tests::program::Folder;

#[test]
fn without_a_checkout_flashing_says_in_one_line_what_it_needs() {
    let folder = Folder::new();
    folder.ok("train --data iris --steps 50 --copies 1 --out run");
    for board in ["qemu:microbit", "ssh:user@board"] {
        let args = ["flash", "run/model.evb", "--board", board];
        let output = folder.command(args).env("EVOBIT_CHECKOUT", "/nowhere").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.lines().count(), output.stdout.len()),
            (Some(1), 1, 0),
            "{said}"
        );
        for word in ["EVOBIT_CHECKOUT is /nowhere", "--firmware FILE"] {
            assert!(said.contains(word), "{said}");
        }
    }
}

#[test]
fn an_installed_program_names_itself_as_it_is_called() {
    let folder = Folder::new();
    // As Cargo does not start it.
    let output = folder.command([""; 0]).env_remove("CARGO").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\n  evobit inspect runs/digits-1/model.evb\n"), "{said}");
    assert!(!said.contains("cargo run"), "{said}");
}

#[test]
fn a_board_says_what_of_a_network_does_not_suit_it() {
    let folder = Folder::new();
    for (hidden, layers) in [
        ("127", Ok(())),
        ("128", Err("at most 127 hidden neurons, and the model has 128")),
        ("8,4", Err("this one has 2")),
    ] {
        folder.ok(&format!("train --data iris --steps 3 --copies 1 --hidden {hidden} --out run-{hidden}"));
        let model = Model::read(&folder.path(format!("run-{hidden}/model.evb"))).unwrap();
        let checked = find("microbit").unwrap().check(&model.image(), 1 << 20);
        let said = checked.map(|_| ()).map_err(|unfit| unfit.to_string());
        match (layers, &said) {
            (Ok(()), Ok(())) => {}
            (Err(words), Err(line)) => assert!(line.contains(words), "{hidden}: {line}"),
            // So wide a layer may be too much for the memory, but is not for the scores.
            (Ok(()), Err(line)) => assert!(line.contains("bytes of memory"), "{hidden}: {line}"),
            (Err(_), Ok(())) => panic!("{hidden} fits"),
        }
    }
}
