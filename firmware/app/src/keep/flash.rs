//! The map of `sequential-storage`, driven by what is synchronous.

use core::future::Future;
use core::ops::Range;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use embedded_storage_async::nor_flash as asynchronous;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};

use super::KeepError;
use crate::log;

/// Lets what is synchronous be awaited.
#[derive(Debug)]
pub(super) struct Ready<F>(F);

impl<F: ErrorType> ErrorType for Ready<F> {
    type Error = F::Error;
}

impl<F: ReadNorFlash> asynchronous::ReadNorFlash for Ready<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash> asynchronous::NorFlash for Ready<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.0.erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.write(offset, bytes)
    }
}

/// Runs a future that never has to wait.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("flash that is not asynchronous makes nothing wait"),
    }
}

/// What went wrong in the map; the log has more.
pub(super) fn failed<E>(error: sequential_storage::Error<E>) -> KeepError {
    use sequential_storage::Error;
    let _reason = match error {
        Error::FullStorage => "is full",
        Error::Storage { .. } => "cannot be read or written",
        Error::Corrupted { .. } => "is corrupted",
        Error::BufferTooSmall(_) | Error::BufferTooBig | Error::ItemTooBig => "has items of another size",
        _ => "failed",
    };
    log!("flash storage {=str}", _reason);
    if let Error::Corrupted { .. } = error { KeepError::Foreign } else { KeepError::Flash }
}

pub(super) type Map<'f, F> = MapStorage<u16, Ready<&'f mut F>, Cache<Uncached, Uncached, Uncached, u16>>;

/// The map in `range` of flash.
pub(super) fn map<F: NorFlash>(flash: &mut F, range: Range<u32>) -> Result<Map<'_, F>, KeepError> {
    let config = MapConfig::try_new(range).map_err(|_| KeepError::Flash)?;
    Ok(MapStorage::new(Ready(flash), config, Cache::new_uncached()))
}
