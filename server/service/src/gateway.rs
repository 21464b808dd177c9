//! The organisation's gateway token, with which a program enrols and acts for any device (`docs/devices.md` 1).

use std::fmt;

use subtle::ConstantTimeEq;

use crate::devices::token_hash;

/// A token that opens every device must not be guessed: so many characters at least.
pub const SHORTEST_GATEWAY_TOKEN: usize = 32;

/// A gateway token that is long enough. It is never shown.
#[derive(Clone)]
pub struct GatewayToken(String);

/// A gateway token that anybody could guess, or that no header can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayTokenError {
    /// Too short; an empty one as well.
    #[error(
        "too short ({characters}): a token that opens every device needs at least {SHORTEST_GATEWAY_TOKEN} characters"
    )]
    TooShort {
        /// How many it has.
        characters: usize,
    },
    /// Spaces, line ends or letters beyond ASCII.
    #[error("it must consist of ASCII letters, digits and signs, without spaces")]
    NotForHeaders,
}

impl GatewayToken {
    /// Takes a token as an operator has set it.
    ///
    /// # Errors
    /// It is too short, or no header can carry it.
    pub fn parse(text: &str) -> Result<Self, GatewayTokenError> {
        let characters = text.chars().count();
        if characters < SHORTEST_GATEWAY_TOKEN {
            return Err(GatewayTokenError::TooShort { characters });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(GatewayTokenError::NotForHeaders);
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether somebody has sent this token; takes as long whichever characters differ.
    pub(crate) fn is(&self, sent: &str) -> bool {
        token_hash(&self.0).ct_eq(&token_hash(sent)).into()
    }
}

impl fmt::Debug for GatewayToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("GatewayToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_token_that_can_be_guessed_is_none_a4() {
        let problem = |text: &str| GatewayToken::parse(text).map(drop);
        for (text, characters) in [("", 0), ("x", 1), (&"x".repeat(31), 31)] {
            assert_eq!(problem(text), Err(GatewayTokenError::TooShort { characters }));
        }
        assert_eq!(problem(&" ".repeat(32)), Err(GatewayTokenError::NotForHeaders));
        assert_eq!(problem(&"ü".repeat(32)), Err(GatewayTokenError::NotForHeaders));
        let token = GatewayToken::parse(&"x".repeat(32)).expect("long enough");
        assert!(token.is(&"x".repeat(32)));
        assert!(!token.is(""), "an empty token speaks for nobody");
        assert!(!token.is(&"x".repeat(33)));
        assert_eq!(format!("{token:?}"), "GatewayToken", "logs do not tell it");
    }
}
