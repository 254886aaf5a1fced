//! Random bytes from the operating system, for ids, keys and tokens. Noise never comes from here.

/// The operating system could not provide random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

/// Returns `N` random bytes from the operating system's generator.
///
/// # Errors
/// [`NoRandomness`] if the system call fails.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Returns a random id: `prefix`, an underscore and 128 random bits as 32 hexadecimal digits.
///
/// # Errors
/// [`NoRandomness`] if the system call fails.
pub fn id(prefix: &str) -> Result<String, NoRandomness> {
    Ok(format!("{prefix}_{}", hex::encode(bytes::<16>()?)))
}
