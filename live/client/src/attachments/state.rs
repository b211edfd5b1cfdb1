//! How names and keys are written where the state of a transfer is kept for another time.

/// A file's name as its digits.
pub(super) mod file_name {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::vault::FileName;

    pub(in super::super) fn serialize<S: Serializer>(
        name: &FileName,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(name.as_str())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<FileName, D::Error> {
        let text = String::deserialize(from)?;
        FileName::parse(&text).ok_or_else(|| D::Error::custom("no name of a file"))
    }
}

/// A secret of any length in hexadecimal digits.
pub(super) mod secret {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use warren_crypto::Secret;

    pub(in super::super) fn serialize<const N: usize, S: Serializer>(
        secret: &Secret<N>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(secret.expose()))
    }

    pub(in super::super) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Secret<N>, D::Error> {
        let bytes = hex::decode(String::deserialize(from)?).map_err(D::Error::custom)?;
        Secret::from_slice(&bytes).ok_or_else(|| D::Error::custom("a secret of another length"))
    }
}

/// Public bytes in hexadecimal digits.
pub(super) mod bytes {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &[u8; 32],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(bytes))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<[u8; 32], D::Error> {
        let bytes = hex::decode(String::deserialize(from)?).map_err(D::Error::custom)?;
        bytes.try_into().map_err(|_| D::Error::custom("a key of another length"))
    }
}
