//! Random bytes for ids, keys and tokens, from the operating system. Noise never comes from here.

/// The system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoChance;

/// N random bytes.
///
/// # Errors
/// [`NoChance`].
pub fn bytes<const N: usize>() -> Result<[u8; N], NoChance> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoChance)?;
    Ok(bytes)
}

/// `prefix`, an underscore and 128 random bits in hexadecimal.
///
/// # Errors
/// [`NoChance`].
pub fn id(prefix: &str) -> Result<String, NoChance> {
    Ok(format!("{prefix}_{}", hex::encode(bytes::<16>()?)))
}
