//! Whatever is wrong with what a user gives, the program says so in one line that names it and says what to do, and
//! leaves everything as it was.

use tests::program::{Folder, gzip, idx};

/// One thing that is wrong.
struct Case {
    args: &'static str,
    code: i32,
    /// What the message must hold: the place, the fault, and what to do.
    says: &'static [&'static str],
}

const fn wrong(args: &'static str, says: &'static [&'static str]) -> Case {
    Case { args, code: 1, says }
}

const fn usage(args: &'static str, says: &'static [&'static str]) -> Case {
    Case { args, code: 2, says }
}

/// Runs every case in `folder`, which must stay as it is.
fn check(folder: &Folder, cases: &[Case]) {
    let before = folder.contents();
    let mut faults = vec![];
    for Case { args, code, says } in cases {
        let ran = folder.run(args);
        let (lines, message) = (ran.stderr.lines().count(), ran.stderr.as_str());
        // The errors of the argument parser go on with a hint on help.
        let by_parser = *code == 2 && message.contains("--help'.\n");
        let one_line = (lines == 1 || by_parser) && message.starts_with("error: ");
        let said = says.iter().all(|word| message.contains(word));
        let quiet = ran.stdout.is_empty() && !message.contains("panicked");
        if ran.code != Some(*code) || !one_line || !said || !quiet {
            faults.push(format!("evobit {args}: {ran:?}, where {code} and {says:?} are expected"));
        }
        if folder.contents() != before {
            faults.push(format!("evobit {args}: changed the folder"));
            break;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A folder with a sound model of each kind: `digits/model.evb` and `iris/model.evb`.
fn with_models() -> Folder {
    let folder = Folder::new();
    folder.ok("train --data digits --steps 2 --copies 1 --out digits");
    folder.ok("train --data iris --steps 2 --out iris");
    folder
}

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

fn images() -> Vec<u8> {
    idx(2051, &[4, 2, 2], &[7; 16])
}

fn labels() -> Vec<u8> {
    idx(2049, &[4], &[0, 1, 0, 1])
}

#[test]
fn idx_files() {
    let folder = Folder::new();
    let pair = |name: &str, images: &[u8], labels: &[u8]| {
        folder.write(&format!("{name}/{IMAGES}"), images);
        folder.write(&format!("{name}/{LABELS}"), labels);
    };
    folder.write(&format!("half/{IMAGES}"), images());
    folder.write(&format!("other-half/{LABELS}"), labels());
    folder.write("test-only/t10k-images-idx3-ubyte", images());
    folder.write("test-only/t10k-labels-idx1-ubyte", labels());
    folder.write("no-idx/readme.txt", "nothing");
    pair("magic", &idx(2050, &[4, 2, 2], &[7; 16]), &labels());
    pair("magic-of-labels", &images(), &images());
    pair("count", &images(), &idx(2049, &[3], &[0, 1, 0]));
    pair("short", &images()[..20], &labels());
    pair("header", &images()[..9], &labels());
    pair("long", &[images(), vec![0]].concat(), &labels());
    pair("one-class", &images(), &idx(2049, &[4], &[3; 4]));
    pair("no-images", &idx(2051, &[0, 2, 2], &[]), &idx(2049, &[0], &[]));
    pair("flat", &idx(2051, &[4, 0, 2], &[]), &labels());
    pair("huge", &idx(2051, &[u32::MAX, 65535, 65535], &[1, 2, 3]), &labels());
    let compressed = gzip(&images());
    folder.write("gzip/images.gz", &compressed[..compressed.len() - 6]);
    folder.write("gzip/labels", labels());
    check(
        &folder,
        &[
            wrong("train --data half", &["half: ", IMAGES, "not its other half: add", LABELS]),
            wrong("train --data other-half", &[LABELS, "not its other half: add", IMAGES]),
            wrong("train --data test-only", &["only test data", "add the training images"]),
            wrong("train --data no-idx", &["no-idx: holds no IDX files", "give a folder such as"]),
            wrong("train --data magic", &[IMAGES, "2050", "2051", "check that it is the right file"]),
            wrong("train --data magic-of-labels", &[LABELS, "2051", "2049"]),
            wrong("train --data count", &[IMAGES, "4 images", "3 labels", "use two files of one set"]),
            wrong("train --data short", &[IMAGES, "cut short", "32 bytes", "20", "again"]),
            wrong("train --data header", &[IMAGES, "cut short"]),
            wrong("train --data long", &[IMAGES, "after the 32 bytes"]),
            wrong(
                "train --data one-class",
                &[LABELS, "every sample has the label 3", "at least two classes"],
            ),
            wrong("train --data no-images", &[IMAGES, "0 images"]),
            wrong("train --data flat", &[IMAGES, "1 x 0 x 2", "damaged or not IDX"]),
            wrong("train --data huge", &[IMAGES, "cut short"]),
            wrong("train --data gzip", &["images.gz", "gzip", "cut short", "copy it again"]),
            wrong("train --data half/train-images-idx3-ubyte", &["give the folder that holds both"]),
            wrong("train --data count --shape 3x3", &["4 images"]),
        ],
    );
}

#[test]
fn csv_files() {
    let folder = Folder::new();
    for (name, text) in [
        ("empty", ""),
        ("blank", "\n\n"),
        ("header", "x,y\n"),
        ("ragged", "x,y,class\n1,2,a\n3,4,b\n5,6\n"),
        ("good", "x,z,class\n1,2,a\n3,4,b\n"),
        ("one-class", "x,class\n1,a\n3,a\n"),
        ("nan", "x,class\n1.5,a\nNaN,b\n2.5,a\n"),
        ("infinite", "x,class\n1.5,a\n2.5,b\n-inf,a\n"),
        ("hole", "x,class\n1,a\n,b\n"),
        ("no-label", "x,class\n1,a\n3,\n"),
        ("label-only", "class\na\nb\n"),
        ("twice", "x,x,class\n1,2,a\n3,4,b\n"),
    ] {
        folder.write(&format!("{name}.csv"), text);
    }
    folder.write("latin.csv", b"x,class\n1,\xe9t\xe9\n2,b\n");
    let classes = (0..300).map(|class| format!("{class},c{class}\n"));
    folder.write("classes.csv", format!("x,class\n{}", classes.collect::<String>()));
    folder.write("names.csv", format!("x,class\n1,a\n2,{}\n", "b".repeat(70_000)));
    let compressed = gzip(b"x,class\n1,a\n2,b\n");
    folder.write("cut.csv.gz", &compressed[..compressed.len() - 9]);
    let ids = (0..100).map(|row| format!("id{row},{}\n", row % 2));
    folder.write("ids.csv", format!("id,class\n{}", ids.collect::<String>()));
    check(
        &folder,
        &[
            wrong(
                "train --data missing.csv",
                &["missing.csv: no such file", "check the path", "digits, iris"],
            ),
            wrong("train --data empty.csv", &["empty.csv: is empty", "it needs a header"]),
            wrong("train --data blank.csv", &["blank.csv: is empty"]),
            wrong("train --data header.csv", &["header.csv: has a header line and no samples", "add"]),
            wrong("train --data ragged.csv", &["ragged.csv: line 4 has 2 cells", "3", "the same"]),
            wrong(
                "train --data good.csv --label price",
                &["no column \"price\"", "\"x\", \"z\", \"class\"", "1 to 3"],
            ),
            wrong("train --data good.csv --label 4", &["no column \"4\""]),
            wrong("train --data one-class.csv", &["one-class.csv", "label \"a\"", "at least two classes"]),
            wrong(
                "train --data nan.csv --missing error",
                &["nan.csv: line 3, column \"x\" is \"NaN\"", "remove the line"],
            ),
            wrong("train --data infinite.csv", &["infinite.csv: line 4, column \"x\" is \"-inf\""]),
            wrong(
                "train --data hole.csv --missing error",
                &["hole.csv: line 3, column \"x\" is empty", "fill it in"],
            ),
            wrong("train --data no-label.csv", &["no-label.csv: line 3, column \"class\" is empty"]),
            wrong("train --data label-only.csv", &["has one column", "nothing but the label", "commas"]),
            wrong("train --data twice.csv", &["two columns named \"x\"", "rename one"]),
            wrong("train --data latin.csv", &["latin.csv: line 2 is not UTF-8"]),
            wrong("train --data classes.csv", &["300 different values", "at most 256", "--label"]),
            wrong("train --data names.csv", &["\"bbbb", "70000 bytes", "shorten it"]),
            wrong("train --data cut.csv.gz", &["cut.csv.gz", "gzip", "again"]),
            wrong("train --data ids.csv", &["\"id\"", "identifier", "leave the column out (--drop)"]),
            wrong("train --data good.csv --shape 3x3", &["2 features", "1 x 3 x 3", "--shape"]),
            wrong("train --data iris --shape 2x2", &["whole number"]),
        ],
    );
}

#[test]
fn data_that_does_not_fit_the_model() {
    let folder = with_models();
    folder.write("images/images", idx(2051, &[2, 28, 28], &[7; 2 * 28 * 28]));
    folder.write("images/labels", idx(2049, &[2], &[0, 1]));
    let header = "sepal_length,sepal_width,petal_length,petal_width,species\n";
    folder.write("unknown.csv", format!("{header}5,3,1,0.2,setosa\n5,3,1,0.2,rose\n"));
    folder.write("text.csv", format!("{header}5,3,1,0.2,setosa\n5,3,wide,0.2,setosa\n"));
    folder.write("few.csv", "a,b\n1,2\n");
    folder.write("unlabelled.csv", "1,2,3,4\n5,6,7,8\n");
    folder.write("empty.csv", "");
    folder.write("alone/model.evb", folder.read("iris/model.evb"));
    folder.write("spoilt/model.evb", folder.read("iris/model.evb"));
    folder.write("spoilt/config.toml", "seed = 1\nsed = 2\n");
    check(
        &folder,
        &[
            usage("task eval iris/model.evb", &["which task", "--task"]),
            wrong(
                "task eval iris/model.evb --task swing-up",
                &["not the observations of this task", "evobit task train"],
            ),
            wrong("eval digits/model.evb iris", &["iris: ", "5 columns", "64 features"]),
            wrong("predict digits/model.evb iris", &["iris: ", "5 columns", "64 features"]),
            wrong("eval iris/model.evb digits", &["digits: ", "65 columns", "4 features"]),
            wrong("eval digits/model.evb images", &["1 x 28 x 28", "1 x 8 x 8", "choose"]),
            wrong("predict digits/model.evb images/images", &["1 x 28 x 28", "1 x 8 x 8"]),
            wrong("predict iris/model.evb images/images", &["holds images", "CSV"]),
            wrong("predict digits/model.evb images/labels", &["2049", "2051"]),
            wrong("predict digits/model.evb images", &["images: ", "directory"]),
            wrong(
                "eval iris/model.evb unknown.csv",
                &["unknown.csv: line 3", "\"rose\"", "\"setosa\"", "remove"],
            ),
            wrong("eval iris/model.evb text.csv", &["text.csv: line 3", "petal", "\"wide\"", "correct it"]),
            wrong("predict iris/model.evb text.csv", &["text.csv: line 3", "\"wide\""]),
            wrong("predict iris/model.evb few.csv", &["few.csv: has 2 columns", "4 features"]),
            wrong("eval iris/model.evb unlabelled.csv", &["no label column", "--label"]),
            wrong("predict iris/model.evb empty.csv", &["empty.csv: is empty"]),
            wrong("predict iris/model.evb missing.csv", &["missing.csv: no such file"]),
            wrong("predict iris/model.evb -", &["standard input: is empty"]),
            usage("predict iris/model.evb", &["which samples?", "standard input"]),
            usage("eval alone/model.evb", &["which data?", "give a data set"]),
            usage(
                "eval alone/model.evb iris --part validation",
                &["validation part", "config.toml", "--part all"],
            ),
            usage("eval spoilt/model.evb", &["spoilt/config.toml: line 2", "`sed`"]),
            usage("eval iris/model.evb --part some", &["some", "train, validation, test, all"]),
        ],
    );
}

#[test]
fn model_files() {
    let folder = with_models();
    let model = folder.read("iris/model.evb");
    folder.write("cut.evb", &model[..model.len() / 2]);
    folder.write("head.evb", &model[..7]);
    let mut damaged = model.clone();
    damaged[200] ^= 1;
    folder.write("damaged.evb", damaged);
    let mut newer = model.clone();
    newer[4] = 2;
    folder.write("newer.evb", newer);
    folder.write("empty.evb", "");
    folder.write("text.evb", "x,y\n1,2\n3,4\n5,6\n7,8\n");
    folder.write("longer.evb", [model, vec![0; 9]].concat());
    const HINT: &str = "train a model with `evobit train`";
    let expected: [(&str, &[&str]); 9] = [
        ("cut.evb", &["cut off", HINT]),
        ("head.evb", &["cut off", HINT]),
        ("damaged.evb", &["damaged", "checksum", HINT]),
        ("newer.evb", &["version 2", "version 1", "use a matching program"]),
        ("empty.evb", &["cut off", HINT]),
        ("text.evb", &["not a model image", HINT]),
        ("longer.evb", &["9 bytes follow", "damaged"]),
        ("missing.evb", &["cannot be read", "give the path of a model"]),
        ("iris", &["cannot be read", "directory", "give the path of a model"]),
    ];
    for (name, says) in expected {
        for args in ["inspect NAME", "inspect NAME --json", "eval NAME iris", "predict NAME iris"] {
            let args: &'static str = args.replace("NAME", name).leak();
            check(&folder, &[Case { args, code: 1, says: [says, &[name]].concat().leak() }]);
        }
    }
}

#[test]
fn settings_out_of_range() {
    let folder = Folder::new();
    for (name, text) in [
        ("unknown", "data = \"iris\"\n\nsed = 3\n"),
        ("kind", "data = \"iris\"\nlevels = \"many\"\n"),
        ("layer", "hidden = [\"64@\"]\n"),
        ("syntax", "data = \"iris\"\nseed =\n"),
        ("negative", "data = \"iris\"\nseed = -1\n"),
        ("range", "data = \"iris\"\nlevels = 5000\n"),
        ("nan", "data = \"iris\"\ntest = nan\n"),
        ("unknown-key", "[base]\ndata = \"iris\"\n[vary]\nmargn = [1.0]\n"),
        ("endless", "data = \"iris\"\nmargin = inf\n"),
    ] {
        folder.write(&format!("{name}.toml"), text);
    }
    folder.write("bytes.toml", b"data = \"\xff\"\n");
    check(
        &folder,
        &[
            usage(
                "train --config unknown.toml",
                &["unknown.toml: line 3", "`sed`", "`seed`", "evobit train --help"],
            ),
            usage("train --config kind.toml", &["kind.toml: line 2", "levels", "\"many\""]),
            usage("train --config layer.toml", &["layer.toml: line 1", "hidden", "512@8x8"]),
            usage("train --config syntax.toml", &["syntax.toml: line 2", "seed"]),
            usage("train --config negative.toml", &["negative.toml: line 2", "seed", "-1"]),
            usage("train --config range.toml", &["levels must be 1 to 1024"]),
            usage("train --config nan.toml", &["test and validation must be shares"]),
            usage("train --config endless.toml", &["margin -10000 to 10000"]),
            wrong("train --config bytes.toml", &["bytes.toml: cannot be read", "UTF-8"]),
            wrong("train --config missing.toml", &["missing.toml: cannot be read", "give a file such as"]),
            usage("sweep unknown-key.toml", &["unknown-key.toml", "`margn`", "did you mean `margin`"]),
            usage("sweep unknown.toml", &["unknown.toml", "unknown field"]),
            wrong("sweep missing.toml", &["missing.toml: cannot be read", "evobit sweep --help"]),
        ],
    );
}

#[test]
fn flags_out_of_range() {
    let folder = Folder::new();
    check(
        &folder,
        &[
            usage("train --data iris --hidden 64@2x2", &["window must fit its input", "--hidden"]),
            usage("train --data digits --hidden 64@9x9", &["window must fit its input", "--hidden"]),
            usage("train --data digits --hidden 64,32@3x3", &["window must fit its input", "--hidden"]),
            usage("train --data digits --hidden 60000", &["1 to 32767", "--hidden"]),
            usage("train --data digits --hidden 32@3", &["'32@3' is not a layer such as 128"]),
            usage("train --data digits --hidden none,64", &["`none` stands alone"]),
            usage("train --data digits --hidden 9,9,9,9,9,9,9,9,9,9,9,9", &["1 to 8 layers", "--hidden"]),
            usage(
                "train --data iris --temperature 0",
                &["temperature must be 0.1 to 10000", "--temperature"],
            ),
            usage("train --data iris --slope 0", &["slope 1 to 4095"]),
            usage("train --data iris --temperature 9999 --slope 4095", &["too large", "lower the slope"]),
            usage("train --data iris --margin many", &["many", "--margin"]),
            usage("train --data iris --preset tiny", &["tiny", "small, medium, large"]),
            usage("train --data iris --target 97", &["target must be a share", "0.97"]),
            usage("train --data iris --target nan", &["target must be a share"]),
            usage("train --data iris --objective first-error", &["objective", "genetic"]),
            wrong("train --data memorize:9", &["memorize:9", "memorize:512"]),
            usage("train --data iris --levels 0", &["levels must be 1 to 1024"]),
            usage("train --data iris --levels 2000", &["levels must be 1 to 1024"]),
            usage("train --data iris --levels 100000", &["100000", "--levels"]),
            usage("train --data iris --budget -1", &["--budget must be"]),
            usage("train --data iris --budget nan", &["--budget must be"]),
            usage("train --data iris --budget inf", &["--budget must be"]),
            usage("train --data iris --threads 0", &["--threads must be 1 to"]),
            usage("train --data iris --threads 1000000", &["--threads must be 1 to"]),
            usage("train --data iris --seed -1", &["-1"]),
            usage("train --data iris --test 1", &["shares from 0"]),
            usage("train --data iris --test 0.6 --validation 0.4", &["shares from 0"]),
            usage("train --data iris --steps 0", &["steps must be at least 1"]),
            usage("train --data iris --sweeps 0", &["sweeps, patience and steps"]),
            usage("train --data iris --shift -1", &["-1"]),
            usage("train --data iris --algorithm genetic --flips 1000000", &["flips must be at most 43035"]),
            usage("train --data iris --population 4 --elites 4", &["elites must be fewer"]),
            usage("train --data iris --mating often", &["often", "none, uniform, union, majority"]),
            usage("train --data iris --shape 0x4", &["'0x4' is not a shape such as 28x28"]),
            usage("train --date iris", &["--date", "--data"]),
            usage("task train cart-poll", &["cart-poll", "cart-pole"]),
            usage("task train cart-pole --elites 60", &["elites must be fewer"]),
            usage("task train cart-pole --hidden 40000", &["1 to 32767", "--hidden"]),
            usage("trian", &["trian", "train"]),
            usage("inspect", &["<MODEL>"]),
        ],
    );
}

#[cfg(not(feature = "tensorboard"))]
#[test]
fn what_the_program_is_built_without_is_named() {
    check(
        &Folder::new(),
        &[usage(
            "train --data iris --tensorboard",
            &["without TensorBoard's files", "--features tensorboard"],
        )],
    );
}

#[test]
fn more_neurons_than_memory_holds() {
    let folder = Folder::new();
    // Two million images of one pixel: small on disk, not with 200 000 neurons that remember each of them.
    let (samples, count) = (2_000_000, 2_000_000usize);
    let labels: Vec<u8> = (0..count).map(|sample| (sample % 2) as u8).collect();
    folder.write("dots/images.gz", gzip(&idx(2051, &[samples, 1, 1], &labels)));
    folder.write("dots/labels.gz", gzip(&idx(2049, &[samples], &labels)));
    check(
        &folder,
        &[
            wrong(
                "train --data dots --test 0 --validation 0 --hidden 32767@1x1,32767@1x1,32767@1x1,32767@1x1,32767@1x1,32767@1x1,32767@1x1",
                &["training would take 18", "bytes of memory", "are available: lower", "--hidden"],
            ),
            wrong(
                "train --data dots --test 0 --validation 0 --algorithm genetic --hidden 32767,32767 --population 100000",
                &["training would take 26", "--population"],
            ),
        ],
    );
    assert_eq!(folder.json("train --data dots --steps 1 --hidden 1 --out run")["stop"], "steps");
}

#[test]
fn run_folders() {
    let folder = Folder::new();
    folder.ok("train --data iris --steps 2 --out run");
    folder.write("file", "text");
    check(
        &folder,
        &[
            wrong("train --data iris --out run", &["run: exists already", "never overwrites", "--out"]),
            wrong("train --data iris --out run/", &["run/: exists already"]),
            wrong("train --data iris --out .", &["exists already"]),
            wrong("train --data iris --out file", &["file: exists already"]),
            wrong("train --data iris --out file/run", &["file", "cannot be written", "choose a folder"]),
            wrong("train --data iris --out file/a/b", &["cannot be written", "choose a folder"]),
            // Found out before training, which would take minutes.
            wrong("train --data digits --out run --sweeps 4000 --patience 4000", &["exists already"]),
            wrong("train --data digits --out file/run --sweeps 4000 --patience 4000", &["cannot be written"]),
        ],
    );
    folder.write("runs", "a file where the folder of runs would be");
    check(&folder, &[wrong("train --data iris", &["runs", "cannot be written", "--out"])]);
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::new();
    let name = OsStr::from_bytes(b"a\xff\n");
    let args = |args: [&'static str; 5]| args.map(OsStr::new).into_iter().chain([name]);
    let train = || args(["train", "--data", "iris", "--json", "--out"]);
    let output = folder.command(train()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.iter().filter(|&&byte| byte == b'\n').count(), 1);
    let output = folder.command(train()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr.iter().filter(|&&byte| byte == b'\n').count(), 1);
}
