//! What the machine that trains has to offer.

/// Bytes of memory that a program may take now without driving others out of it: what the system has available, and no more
/// than the control group of the process may still have. `None` where the system does not say.
#[must_use]
pub fn memory_available() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let group = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    let available = system.available_memory().min(group);
    (available > 0).then_some(available)
}
