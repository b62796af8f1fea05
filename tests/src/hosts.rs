//! Several hosts on one machine: network namespaces with a name, an address and a wire of their own, joined by Open MPI's `mpirun`.
//!
//! Each host is a process that waits, in a network and a name space that it made (`unshare --net --uts`); what runs on the host is
//! started into them with `nsenter`, which is also what `mpirun` reaches the other host by. Processes see each other and the files of
//! the machine, as on a cluster with a common disk; but all they say to another host goes over the wire, which can be cut. It takes root,
//! or CAP_SYS_ADMIN and CAP_NET_ADMIN.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::program::Folder;

/// Names of the hosts, of their ends of the wire too.
const NAMES: [&str; 2] = ["evobit-a", "evobit-b"];
const ADDRESSES: [&str; 2] = ["10.77.0.1", "10.77.0.2"];
const NETWORK: &str = "10.77.0.0/24";

/// Where ranks run.
#[derive(Debug)]
pub enum Cluster {
    /// On two hosts.
    Hosts(Hosts),
    /// On this machine, where it does not let us make hosts.
    Machine,
}

/// Two hosts, and what is needed to reach them. They go when this does.
#[derive(Debug)]
pub struct Hosts {
    hosts: Vec<Child>,
    folder: TempDir,
}

impl Cluster {
    /// Two hosts; where the system does not permit them, and skips are allowed, this machine alone.
    ///
    /// # Panics
    /// Where the system does not permit them, unless skips are allowed.
    #[must_use]
    pub fn start() -> Self {
        match Hosts::start() {
            Ok(hosts) => Self::Hosts(hosts),
            Err(reason) => {
                skips::skip(&format!("there are no two hosts as network namespaces ({reason})"));
                Self::Machine
            }
        }
    }

    /// `mpirun` of so many ranks of the program, spread over all hosts.
    #[must_use]
    pub fn mpirun(&self, folder: &Folder, ranks: u32, args: &str) -> Command {
        match self {
            Self::Hosts(hosts) => hosts.mpirun(folder, &[0, 1], ranks, args),
            Self::Machine => {
                let mut command = Command::new("mpirun");
                arguments(&mut command, folder, ranks);
                ranked(&mut command, folder, args);
                command
            }
        }
    }

    /// The processes that are ranks of a job in this folder: rank and process.
    #[must_use]
    pub fn ranks(folder: &Folder) -> Vec<(u32, u32)> {
        let place = fs::canonicalize(folder.path("")).expect("a folder has a path");
        let mut found: Vec<(u32, u32)> =
            processes().filter_map(|process| Some((rank(process, &place)?, process))).collect();
        found.sort_unstable();
        found
    }
}

impl Hosts {
    /// Makes both.
    ///
    /// # Errors
    /// Why the system does not permit it.
    pub fn start() -> Result<Self, String> {
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let mut started = Self { hosts: vec![], folder };
        for name in NAMES {
            let mut command = Command::new("unshare");
            command.args(["--net", "--uts", "sh", "-c"]);
            // It goes when its input ends, so with the test, however that ends.
            command.arg(format!("hostname {name} && ip link set lo up && echo up && exec cat"));
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut host = command.spawn().map_err(|error| format!("unshare: {error}"))?;
            let mut said = String::new();
            let output = host.stdout.take().ok_or("no output")?;
            let _ = BufReader::new(output).read_line(&mut said);
            started.hosts.push(host);
            if said != "up\n" {
                return Err(
                    "no namespaces can be made: it takes root and the packages util-linux and iproute2"
                        .into(),
                );
            }
        }
        let other = started.hosts[1].id();
        started.ip(0, &format!("link add {} type veth peer name {} netns {other}", NAMES[0], NAMES[1]))?;
        for (host, (name, address)) in NAMES.iter().zip(ADDRESSES).enumerate() {
            started.ip(host, &format!("addr add {address}/24 dev {name}"))?;
            started.ip(host, &format!("link set {name} up"))?;
        }
        started.write_agent().map_err(|error| error.to_string())?;
        Ok(started)
    }

    /// What `mpirun` starts processes on another host with: it gives the address and a command.
    fn write_agent(&self) -> std::io::Result<()> {
        let mut text = String::from("#!/bin/sh\ncase $1 in\n");
        for (address, host) in ADDRESSES.iter().zip(&self.hosts) {
            text += &format!("{address}) host={} ;;\n", host.id());
        }
        text += "esac\nshift\nnsenter --target \"$host\" --net --uts -- sh -c \"$*\"\nstatus=$?\n";
        // Of a host without power nothing is heard, not even that its processes end: a connection to it hangs for a while.
        text += "[ $status -lt 128 ] || exec sleep 12\nexit $status\n";
        let path = self.folder.path().join("agent");
        fs::write(&path, text)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
    }

    fn ip(&self, host: usize, args: &str) -> Result<(), String> {
        let output = self.on(host, "ip").args(args.split(' ')).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("ip {args}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }

    /// A command on a host.
    fn on(&self, host: usize, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.hosts[host].id().to_string(), "--net", "--uts", "--", program]);
        command
    }

    /// `mpirun`, on the first of these hosts, of so many ranks of the program on all of them.
    ///
    /// # Panics
    /// When the list of hosts cannot be written.
    #[must_use]
    pub fn mpirun(&self, folder: &Folder, on: &[usize], ranks: u32, args: &str) -> Command {
        let mut command = self.on(on[0], "mpirun");
        let mut network = "lo";
        if on.len() > 1 {
            network = NETWORK;
            let each = ranks.div_ceil(on.len() as u32);
            let list: String = on.iter().map(|&host| format!("{} slots={each}\n", ADDRESSES[host])).collect();
            let path = self.folder.path().join(format!("hosts-{each}"));
            fs::write(&path, list).expect("a list of hosts");
            command.arg("--hostfile").arg(path);
            command.args(["--mca", "plm_rsh_agent"]).arg(self.folder.path().join("agent"));
        }
        for (name, value) in [
            ("btl", "tcp,self"),
            ("btl_tcp_if_include", network),
            ("oob_tcp_if_include", network),
            // A host that says nothing for five seconds is gone.
            ("oob_tcp_keepalive_time", "2"),
            ("oob_tcp_keepalive_intvl", "1"),
            ("oob_tcp_keepalive_probes", "3"),
        ] {
            command.args(["--mca", name, value]);
        }
        arguments(&mut command, folder, ranks);
        ranked(&mut command, folder, args);
        command
    }

    /// Cuts the wire between the hosts, or mends it.
    ///
    /// # Panics
    /// When the system does not.
    pub fn wire(&self, works: bool) {
        let state = if works { "up" } else { "down" };
        for (host, name) in NAMES.iter().enumerate() {
            self.ip(host, &format!("link set {name} {state}")).expect("a wire");
        }
    }

    /// The processes that run on a host.
    #[must_use]
    pub fn processes(&self, host: usize) -> Vec<u32> {
        let network = |process: u32| fs::read_link(format!("/proc/{process}/ns/net")).ok();
        let own = self.hosts[host].id();
        let here = network(own);
        processes().filter(|&process| process != own && here.is_some() && network(process) == here).collect()
    }

    /// The host loses its power: nothing of it is heard any more, not even that it ends. The wire stays cut.
    pub fn power_off(&self, host: usize) {
        self.wire(false);
        for process in self.processes(host) {
            signal("KILL", process);
        }
    }

    /// Whether all on a host have ended within so long.
    #[must_use]
    pub fn ends_within(&self, host: usize, time: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < time {
            if self.processes(host).is_empty() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in 0..self.hosts.len() {
            for process in self.processes(host) {
                signal("KILL", process);
            }
        }
        for mut host in self.hosts.drain(..) {
            drop(host.stdin.take());
            let _ = host.wait();
        }
    }
}

fn arguments(command: &mut Command, folder: &Folder, ranks: u32) {
    command.args(["--allow-run-as-root", "--oversubscribe", "-n", &ranks.to_string()]);
    command.current_dir(folder.path(""));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
}

fn ranked(command: &mut Command, folder: &Folder, args: &str) {
    command.arg(folder.command::<&str>([]).get_program()).args(args.split(' '));
}

/// Sends a signal; says whether it arrived.
pub fn signal(name: &str, process: u32) -> bool {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).output();
    sent.is_ok_and(|sent| sent.status.success())
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The rank of a process, if it is one of a job in this folder.
fn rank(process: u32, place: &Path) -> Option<u32> {
    let here = fs::read_link(format!("/proc/{process}/cwd")).ok()?;
    let environment = fs::read(format!("/proc/{process}/environ")).ok()?;
    let mut entries = environment.split(|&byte| byte == 0);
    let rank = entries.find_map(|entry| entry.strip_prefix(b"OMPI_COMM_WORLD_RANK="))?;
    (here == place).then(|| std::str::from_utf8(rank).ok()?.parse().ok())?
}
