//! The built program `evobit`, run as a user runs it: in a folder of its own, with arguments, files and pipes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use evobit::rng::{Purpose, Stream};
use rand_core::Rng;
use serde_json::Value;
use tempfile::TempDir;

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// A temporary folder to run the program in. It goes when this does.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// An empty folder.
    ///
    /// # Panics
    /// When the system makes none.
    #[must_use]
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    /// The path of something in it.
    #[must_use]
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders it lies in.
    ///
    /// # Panics
    /// When it cannot.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a new folder");
        fs::write(path, bytes).expect("a new file");
    }

    /// The bytes of a file.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The text of a file.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn text(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(name)).expect("text in UTF-8")
    }

    /// Every file and folder in it, with the bytes of the files.
    ///
    /// # Panics
    /// When the folder cannot be read.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn add(folder: &Path, contents: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    contents.insert(path.clone(), vec![]);
                    add(&path, contents);
                } else {
                    contents.insert(path.clone(), fs::read(&path).expect("a file"));
                }
            }
        }
        let mut contents = BTreeMap::new();
        add(self.0.path(), &mut contents);
        contents
    }

    /// The newest epoch that each island of a run has saved.
    #[must_use]
    pub fn saved(&self, run: &str) -> BTreeMap<u32, u32> {
        let mut newest: BTreeMap<u32, u32> = BTreeMap::new();
        for entry in fs::read_dir(self.path(format!("{run}/islands"))).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let parts = name.strip_suffix(".bin").and_then(|name| name.split_once('-'));
            let numbers =
                parts.and_then(|(island, epoch)| Some((island.parse().ok()?, epoch.parse::<u32>().ok()?)));
            if let Some((island, epoch)) = numbers {
                let at = newest.entry(island).or_default();
                *at = epoch.max(*at);
            }
        }
        newest
    }

    /// The program, ready to start in this folder.
    #[must_use]
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        self.starting(Command::new(program()), args)
    }

    /// The same, to be sent signals: those that whoever runs the tests has it ignore, as `nohup` does, stop it all the same.
    #[must_use]
    pub fn stoppable<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("env");
        command.arg("--default-signal=HUP,INT,TERM").arg(program());
        self.starting(command, args)
    }

    fn starting<S: AsRef<OsStr>>(&self, mut command: Command, args: impl IntoIterator<Item = S>) -> Command {
        // A panic must show even where the caller's environment would hide it.
        command.args(args).current_dir(self.0.path()).env("RUST_BACKTRACE", "1").stdin(Stdio::null());
        command
    }

    /// Runs the program to its end; `args` are separated by spaces.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn run(&self, args: &str) -> Ran {
        self.command(args.split_whitespace()).output().expect("the program starts").into()
    }

    /// Runs the program with `input` as its standard input.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn pipe(&self, args: &str, input: &[u8]) -> Ran {
        let mut command = self.command(args.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // The program reads all of its input before it writes.
        child.stdin.take().expect("a pipe").write_all(input).expect("it reads its input");
        child.wait_with_output().expect("it ends").into()
    }

    /// Starts the program, sends it the signal of this name, such as `INT`, `after` it has written the file or into the folder `begun`, and waits for its end; how
    /// long that took.
    ///
    /// # Panics
    /// When it ends before, or does not take the signal.
    #[must_use]
    pub fn stopped(&self, args: &str, begun: &str, after: Duration, signal: &str) -> (Ran, Duration) {
        let mut command = self.stoppable(args.split_whitespace());
        let (path, started) = (self.path(begun), SystemTime::now());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let written = || path.metadata().and_then(|data| data.modified());
        while written().is_ok_and(|written| written < started) || !path.exists() {
            assert!(child.try_wait().expect("a process").is_none(), "{args}: it ended before {begun}");
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(after);
        let told = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(told.expect("kill starts").success(), "{args}: it had ended");
        let told = Instant::now();
        let output = child.wait_with_output().expect("it ends");
        (output.into(), told.elapsed())
    }

    /// Kills a run again and again, at random, until it is through: `first`, and `resume` where that got as far as the settings in its
    /// folder `run`. The times are drawn from `seed`, for a run that takes `whole`. `after` looks at what each kill left.
    ///
    /// # Panics
    /// When it does not start, fails, or is never killed.
    pub fn killed_until_it_ends(
        &self,
        first: &str,
        resume: &str,
        whole: Duration,
        seed: u64,
        after: impl Fn(),
    ) {
        let whole = whole.as_millis() as u32;
        let mut random = Stream::new(seed, Purpose::Test, 0);
        let (mut args, mut kills) = (first, 0);
        loop {
            let time = Duration::from_millis((whole / 8 + random.next_u32() % (whole / 3).max(1)).into());
            // Some machines stop for a while: the later the kill, the surer the end.
            if self.ends_within(args, time * (1 + kills / 6)) {
                break;
            }
            kills += 1;
            if self.path("run/config.toml").exists() {
                args = resume;
            } else if self.path("run").exists() {
                fs::remove_dir_all(self.path("run")).expect("a folder");
            }
            after();
        }
        assert!(kills > 0, "nothing was killed in {whole} ms");
    }

    /// Runs the program until it ends or `time` is over, when it is killed at once; says whether it ended.
    ///
    /// # Panics
    /// When it does not start, or ends and failed.
    #[must_use]
    pub fn ends_within(&self, args: &str, time: Duration) -> bool {
        let mut command = self.command(args.split_whitespace());
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
        std::thread::sleep(time);
        if child.try_wait().expect("a process").is_some() {
            let output = child.wait_with_output().expect("it ended");
            assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
            return true;
        }
        child.kill().expect("the process is there");
        child.wait().expect("it ends");
        false
    }

    /// The standard output of a run that must succeed.
    ///
    /// # Panics
    /// When it fails.
    pub fn ok(&self, args: &str) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "evobit {args}: {}", ran.stderr);
        ran.stdout
    }

    /// The one JSON object that a run with `--json` prints, and nothing else.
    ///
    /// # Panics
    /// When it prints anything else or fails.
    pub fn json(&self, args: &str) -> Value {
        let stdout = self.ok(&format!("{args} --json"));
        assert_eq!((stdout.lines().count(), stdout.ends_with('\n')), (1, true), "evobit {args}: {stdout}");
        let value: Value = serde_json::from_str(&stdout).expect("JSON");
        assert!(value.is_object(), "evobit {args}: {value}");
        value
    }
}

/// The signals that stop a search, with the exit codes that they lead to.
pub const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

/// The program that `cargo build -p host` made, beside this test.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its path");
    let profile = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let path = profile.join(format!("evobit{}", std::env::consts::EXE_SUFFIX));
    let Ok(built) = path.metadata().and_then(|data| data.modified()) else {
        panic!(
            "{} is missing: run `cargo build -p host` (with --release for a release test)",
            path.display()
        );
    };
    // A test of an old program would say nothing about the sources as they are.
    let changed = newest_source(&path);
    assert!(
        changed <= built,
        "{} is older than its sources: run `cargo build -p host`, with the features that it had",
        path.display()
    );
    path
}

/// When the newest file that the program was built from was changed. Cargo lists these files beside the program: all sources and
/// included files of the packages of this repository, without their tests.
///
/// # Panics
/// When there is no list, or a file of it is gone, which means that the program is old.
fn newest_source(program: &Path) -> SystemTime {
    let list = program.with_extension("d");
    let text = fs::read_to_string(&list).unwrap_or_else(|error| {
        panic!("{}: {error}: run `cargo build -p host`", list.display());
    });
    let sources = sources(&text);
    assert!(!sources.is_empty(), "{} names no files", list.display());
    let changed = |path: &PathBuf| {
        path.metadata().and_then(|data| data.modified()).unwrap_or_else(|error| {
            panic!(
                "{}: {error}, and {} was built from it: run `cargo build -p host`",
                path.display(),
                program.display()
            )
        })
    };
    sources.iter().map(changed).max().expect("there are sources")
}

/// The files behind the colon of a list as `make` reads them; spaces in their names stand behind a backslash.
fn sources(list: &str) -> Vec<PathBuf> {
    let line = list.lines().find_map(|line| line.split_once(": ")).map_or("", |(_, files)| files);
    let names = line.replace("\\ ", "\0");
    names.split_whitespace().map(|name| name.replace('\0', " ").into()).collect()
}

/// The bytes of an IDX file: its magic number, its sizes, its values.
#[must_use]
pub fn idx(magic: u32, sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let numbers = [magic].into_iter().chain(sizes.iter().copied());
    numbers.flat_map(u32::to_be_bytes).chain(values.iter().copied()).collect()
}

/// `bytes` compressed by gzip.
///
/// # Panics
/// Never: it writes to memory.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_a_program_was_built_from_are_read() {
        let files = sources("/a/evobit: /a/lib.rs /b\\ c/d.rs\n");
        assert_eq!(files, [PathBuf::from("/a/lib.rs"), PathBuf::from("/b c/d.rs")]);
        assert!(sources("").is_empty());
    }

    #[test]
    fn a_program_is_as_old_as_its_newest_source() {
        let folder = Folder::new();
        for name in ["old.rs", "new.rs"] {
            folder.write(name, "");
        }
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(9);
        fs::File::open(folder.path("old.rs")).unwrap().set_modified(time).unwrap();
        let (old, new) = (folder.path("old.rs"), folder.path("new.rs"));
        folder.write("program.d", format!("program: {} {}\n", old.display(), new.display()));
        let newest = newest_source(&folder.path("program"));
        assert_eq!(newest, new.metadata().unwrap().modified().unwrap());
        folder.write("program.d", format!("program: {}\n", old.display()));
        assert_eq!(newest_source(&folder.path("program")), time);
    }
}
