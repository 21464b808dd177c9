//! Passwords (A2): which ones are taken, and how they are kept and compared. Nothing here knows whose they are.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::error::{Result, ServiceError};

/// Fewest characters of a password.
pub const SHORTEST_PASSWORD: usize = 12;
/// Most characters of a password: hashing costs time.
pub const LONGEST_PASSWORD: usize = 200;

/// Passwords that everybody tries first, in lower case, one a line.
static COMMON: &str = include_str!("common_passwords.txt");

/// Hashing takes memory and a core for a while: two at a time, the others wait.
static HASHING: Semaphore = Semaphore::const_new(2);

/// What an unknown name's password is compared with, so that it takes as long as a known one's.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

/// Long enough, not one that everybody tries, and not made of the account's own name.
pub(crate) fn check_password(password: &str, own: &[&str]) -> Result<()> {
    let length = password.chars().count();
    if length < SHORTEST_PASSWORD {
        return Err(ServiceError::invalid(
            "password",
            format!("must have at least {SHORTEST_PASSWORD} characters, not {length}"),
        ));
    }
    if length > LONGEST_PASSWORD {
        return Err(ServiceError::invalid(
            "password",
            format!("must have at most {LONGEST_PASSWORD} characters, not {length}"),
        ));
    }
    let lower = password.to_lowercase();
    let mut characters: Vec<char> = lower.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    let is_common = COMMON.lines().any(|common| common == lower) || characters.len() < 5;
    if is_common || own.iter().any(|own| lower == own.to_lowercase()) {
        return Err(ServiceError::invalid(
            "password",
            "it is one of those that everybody tries first",
        ));
    }
    Ok(())
}

fn hash(password: &str) -> std::result::Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

/// A password as a PHC string.
pub(crate) async fn hashed(password: &str) -> Result<String> {
    let password = password.to_owned();
    let one_of_two = HASHING.acquire().await.map_err(|_| ServiceError::Hashing)?;
    let hashed = tokio::task::spawn_blocking(move || {
        // It goes with the work and not with the request, which may be gone before.
        let _one_of_two = one_of_two;
        hash(&password)
    });
    let hashed = hashed.await;
    hashed
        .map_err(|_| ServiceError::Hashing)?
        .map_err(|_| ServiceError::Hashing)
}

/// Whether it is the password; where there is none to compare with, `false` after as long a time.
pub(crate) async fn verified(password: &str, expected: Option<&str>) -> Result<bool> {
    let (password, known) = (password.to_owned(), expected.is_some());
    let expected = expected.map(str::to_owned);
    let one_of_two = HASHING.acquire().await.map_err(|_| ServiceError::Hashing)?;
    let matches = tokio::task::spawn_blocking(move || {
        let _one_of_two = one_of_two;
        let expected = expected.unwrap_or_else(|| NOBODY.clone());
        // A password that is too long to have been chosen is not worth the time.
        let password: String = password.chars().take(LONGEST_PASSWORD + 1).collect();
        PasswordHash::new(&expected).is_ok_and(|expected| {
            Argon2::default()
                .verify_password(password.as_bytes(), &expected)
                .is_ok()
        })
    });
    Ok(matches.await.map_err(|_| ServiceError::Hashing)? && known)
}

#[cfg(test)]
mod tests {
    use super::check_password;

    #[test]
    fn passwords_are_long_and_not_the_ones_that_everybody_tries_a2() {
        for weak in [
            "short",
            "password1234",
            "Password1234",
            "aaaaaaaaaaaa",
            "121212121212",
            "ada@example.com",
            "qwertyuiop123",
        ] {
            assert!(check_password(weak, &["Ada", "ada@example.com"]).is_err(), "{weak}");
        }
        assert!(check_password(&"long".repeat(60), &[]).is_err());
        assert!(check_password("a lamp that hums", &["Ada", "ada@example.com"]).is_ok());
    }
}
