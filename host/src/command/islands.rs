//! Runs of islands on the command line: the processes of `mpirun`, and runs that are repeated from their arrivals.

use std::path::Path;
use std::time::Duration;

use super::train::open;
use super::{Failure, TrainArgs, read_settings};
use evobit_compute::Accelerator;
use evobit_search::Silent;
use evobit_train::checkpoint::Checkpoint;
use evobit_train::islands::Arrival;
use evobit_train::islands::exchange::Transport;
use evobit_train::islands::lineage::{ARRIVALS, read};
use evobit_train::settings::TrainConfig;
use evobit_train::{Session, Source, prepare_from};

/// How long another process than the first waits before it says what is wrong: then the launcher has ended it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the launchers of MPI tell the processes that they start: their number.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"];
/// And which of them this one is.
#[cfg(not(feature = "mpi"))]
const RANKS: [&str; 3] = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "MPI_LOCALRANKID"];

/// The other processes, where `mpirun` started this one among several.
pub(super) fn cluster() -> Result<Option<Box<dyn Transport>>, Failure> {
    let size = SIZES.iter().find_map(|name| std::env::var(name).ok()?.parse::<usize>().ok());
    match size {
        Some(2..) => join().map(Some),
        _ => Ok(None),
    }
}

#[cfg(feature = "mpi")]
fn join() -> Result<Box<dyn Transport>, Failure> {
    match evobit_train::islands::mpi::Cluster::join() {
        Some(cluster) => Ok(Box::new(cluster)),
        None => Err(Failure { code: 1, message: "MPI does not start: see what mpirun says".into() }),
    }
}

#[cfg(not(feature = "mpi"))]
fn join() -> Result<Box<dyn Transport>, Failure> {
    if RANKS.iter().any(|name| std::env::var(name).is_ok_and(|rank| rank != "0")) {
        // The first process says the same; it gets the time to.
        std::thread::sleep(PATIENCE);
    }
    Err(Failure::usage(
        "this program was built without MPI: build it with `cargo build --release -p host --features mpi`, or start it without mpirun",
    ))
}

/// Whether a run of this configuration can be spread over these processes.
pub(super) fn check(
    config: &TrainConfig,
    transport: Option<&dyn Transport>,
    args: &TrainArgs,
) -> Result<(), Failure> {
    let Some(islands) = config.islands else {
        return match transport {
            Some(_) => Err(Failure::usage("mpirun spreads islands: say with --islands how many")),
            None if args.replay.is_some() => {
                Err(Failure::usage("--replay repeats a run of islands: this one has none"))
            }
            None => Ok(()),
        };
    };
    if args.budget.is_some() {
        return Err(Failure::usage(
            "islands end after as many sweeps as they are told: set --sweeps and leave --budget out",
        ));
    }
    match transport {
        Some(transport) if transport.size() > usize::from(islands) => Err(Failure::usage(format!(
            "{} ranks and {islands} islands: start at most as many ranks as there are islands",
            transport.size()
        ))),
        _ => Ok(()),
    }
}

/// Who came to each island of the run in this folder.
pub(super) fn arrivals(run: &Path) -> Result<Vec<Vec<Arrival>>, Failure> {
    let path = run.join(ARRIVALS);
    if !path.exists() {
        let shown = run.display();
        return Err(Failure::usage(format!(
            "{shown}: has no {ARRIVALS}: --replay is for finished runs with --migration async; repeat others with --config {shown}/config.toml"
        )));
    }
    read(&path).map_err(|message| Failure { code: 1, message })
}

/// Every process but the first: islands, and nothing to say.
pub(super) fn follow(args: &TrainArgs, transport: &dyn Transport) -> Result<(), Failure> {
    let result = lend_a_hand(args, transport);
    if result.is_err() {
        // The first process says the same, and better; it gets the time to.
        std::thread::sleep(PATIENCE);
    }
    result
}

fn lend_a_hand(args: &TrainArgs, transport: &dyn Transport) -> Result<(), Failure> {
    let replayed = args.replay.as_ref().map(|run| run.join("config.toml"));
    let resumed = args.resume.as_ref().map(|run| run.join("config.toml"));
    let settings = match resumed.or(replayed).as_ref().or(args.config.as_ref()) {
        Some(path) => args.settings.clone().or(read_settings(path)?),
        None => args.settings.clone(),
    };
    let (Source { loaded, model }, config) = open(settings)?;
    check(&config, Some(transport), args)?;
    let mut prepared = prepare_from(&loaded, &config, model.as_ref())?;
    prepared.instructions = args.instructions;
    prepared.accelerator = Accelerator::open(
        args.backend.unwrap_or_default(),
        &prepared.work(&config, evobit_train::islands::here(&config, Some(transport))),
    )?
    .noting(super::tell);
    drop(loaded);
    let replay = args.replay.as_deref().map(arrivals).transpose()?;
    let session = Session { transport: Some(transport), replay, ..Session::default() };
    evobit_train::run(&prepared, &config, session, None::<Checkpoint>, &mut Silent)?;
    Ok(())
}
