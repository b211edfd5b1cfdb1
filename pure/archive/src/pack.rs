//! Chunks put together until they fill an object.

use crate::chunk::Compression;
use crate::object::OVERHEAD;
use crate::size;

/// Bytes of chunks that a pack holds at most.
pub const ROOM: usize = size::PACK - OVERHEAD;

/// Where a chunk lies in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lying {
    /// Its first byte.
    pub offset: u32,
    /// Its bytes there.
    pub stored: u32,
    /// How.
    pub compression: Compression,
}

/// A pack that grows.
#[derive(Debug, Default)]
pub struct Pack {
    content: Vec<u8>,
}

impl Pack {
    /// Puts a chunk in as it is to lie; `None` where it does not fit any more.
    pub fn add(&mut self, stored: &[u8], compression: Compression) -> Option<Lying> {
        if self.content.len() + stored.len() > ROOM {
            return None;
        }
        let lying = Lying {
            offset: u32::try_from(self.content.len()).ok()?,
            stored: u32::try_from(stored.len()).ok()?,
            compression,
        };
        if self.content.capacity() == 0 {
            self.content.reserve_exact(ROOM);
        }
        self.content.extend_from_slice(stored);
        Some(lying)
    }

    /// Whether it holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// What is to be sealed.
    pub fn into_content(self) -> Vec<u8> {
        self.content
    }
}

/// A chunk as it lies in the content of an opened pack; `None` where it lies elsewhere.
pub fn slice(content: &[u8], lying: Lying) -> Option<&[u8]> {
    let start = usize::try_from(lying.offset).ok()?;
    let end = start.checked_add(usize::try_from(lying.stored).ok()?)?;
    content.get(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_lie_where_they_were_put_until_the_pack_is_full() {
        let mut pack = Pack::default();
        assert!(pack.is_empty());
        let first = pack.add(b"one", Compression::None).unwrap();
        let second = pack.add(b"two!", Compression::Zstd).unwrap();
        assert_eq!(pack.add(&vec![0; ROOM - 6], Compression::None), None);
        assert!(pack.add(&vec![0; ROOM - 7], Compression::None).is_some());
        let content = pack.into_content();
        assert_eq!(slice(&content, first), Some(&b"one"[..]));
        assert_eq!(slice(&content, second), Some(&b"two!"[..]));
        assert_eq!(slice(&content[..5], second), None);
    }
}
