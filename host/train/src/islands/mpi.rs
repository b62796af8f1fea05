//! Processes on many machines, by the engine that clusters have: MPI.
//!
//! Only the thread of the post speaks MPI. It sends into a buffer, so that no two processes ever wait for each other to receive, and
//! asks whether something is there without waiting for it.

use mpi::environment::Universe;
use mpi::point_to_point::{Destination, Source};
use mpi::topology::{Communicator, SimpleCommunicator};

use super::exchange::Transport;

/// Bytes that may be under way from a process. Only what is used takes memory.
const BUFFER_BYTES: usize = 1 << 28;

/// All processes that `mpirun` started.
pub struct Cluster {
    world: SimpleCommunicator,
    // Finalizes MPI when it goes.
    _universe: Universe,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("rank", &self.rank()).field("size", &self.size()).finish()
    }
}

impl Cluster {
    /// Joins the other processes; none where MPI was begun before.
    #[must_use]
    pub fn join() -> Option<Self> {
        let (mut universe, _) = mpi::initialize_with_threading(mpi::Threading::Funneled)?;
        universe.set_buffer_size(BUFFER_BYTES);
        let world = universe.world();
        Some(Self { world, _universe: universe })
    }
}

impl Transport for Cluster {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn send(&self, rank: usize, bytes: &[u8]) {
        self.world.process_at_rank(rank as i32).buffered_send(bytes);
    }

    fn receive(&self) -> Option<Vec<u8>> {
        use mpi::point_to_point::MatchedReceiveVec;
        let arrived = self.world.any_process().immediate_matched_probe()?;
        Some(arrived.matched_receive_vec::<u8>().0)
    }

    fn abort(&self) -> ! {
        self.world.abort(1)
    }
}
