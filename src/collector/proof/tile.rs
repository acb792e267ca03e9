// SPDX-License-Identifier: Apache-2.0
//! The tiles of C2SP tlog-tiles: 256 hashes of one level of the tree to a file, and where each file is.

use std::fmt;

/// Hashes of a full tile.
pub const WIDTH: usize = 256;

/// A tile, full or partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// 0 holds the hashes of leaves, 1 those of the full tiles of level 0, and so on.
    pub level: u8,
    /// Position in its level.
    pub index: u64,
    /// Hashes, up to 256.
    pub width: u16,
}

impl Tile {
    /// The newest tile of each level of a tree of `size` leaves, from the lowest; of width 0 where the level has none
    /// that is partial.
    pub fn edge(size: u64) -> impl Iterator<Item = Tile> {
        let levels = (0_u8..8).map_while(move |level| {
            let hashes = size >> (8 * u32::from(level));
            (hashes > 0).then_some((level, hashes))
        });
        levels.map(|(level, hashes)| Tile { level, index: hashes >> 8, width: (hashes & 255) as u16 })
    }

    /// Every tile of a tree of `size` leaves, partial ones only as its right edge has them.
    pub fn all(size: u64) -> impl Iterator<Item = Tile> {
        Tile::edge(size).flat_map(|newest| {
            let full = (0..newest.index).map(move |index| Tile { index, width: 256, ..newest });
            full.chain((newest.width > 0).then_some(newest))
        })
    }

    /// The leaf that its first hash begins with; how many leaves one hash covers.
    pub fn leaves(&self) -> (u64, u64) {
        let each = 1 << (8 * u32::from(self.level));
        ((self.index << 8) * each, each)
    }

    /// Its file, read back.
    pub fn parse(path: &str) -> Option<Tile> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok()?),
            None => (rest, 256),
        };
        let mut number: u64 = 0;
        for part in index.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            number = number.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Tile { level: level.parse().ok()?, index: number, width };
        // One tile, one name.
        (tile.to_string() == path && (1..=256).contains(&width)).then_some(tile)
    }
}

/// The path of its file, as in `tile/0/x001/234.p/17`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level)?;
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (place, group) in groups.iter().enumerate().rev() {
            match place {
                0 => write!(f, "{group:03}")?,
                _ => write!(f, "x{group:03}/")?,
            }
        }
        if usize::from(self.width) == WIDTH { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}
