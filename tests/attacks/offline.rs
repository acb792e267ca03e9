// SPDX-License-Identifier: Apache-2.0
//! What an attacker computes outside the token: AES, RFC 3394, RSA with numbers, and a key pair whose private
//! half the whole world knows.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Block};
use num_bigint::BigUint;

use super::session::Told;

/// One block encrypted.
pub(crate) fn encrypted(key: &[u8], block: [u8; 16]) -> Option<Vec<u8>> {
    let mut block = Block::from(block);
    Aes128::new_from_slice(key).ok()?.encrypt_block(&mut block);
    Some(block.to_vec())
}

/// One block decrypted.
pub(crate) fn decrypted(key: &[u8], block: [u8; 16]) -> Option<Vec<u8>> {
    let mut block = Block::from(block);
    Aes128::new_from_slice(key).ok()?.decrypt_block(&mut block);
    Some(block.to_vec())
}

/// Undoes CKM_AES_KEY_WRAP of a 16-byte key with nothing but an AES that decrypts blocks (RFC 3394, section
/// 2.2.2).
pub(crate) fn unwrapped(blob: &[u8], mut decrypt: impl FnMut(&[u8]) -> Told<Vec<u8>>) -> Told<Vec<u8>> {
    let mut check = blob[..8].to_vec();
    let mut halves = [blob[8..16].to_vec(), blob[16..24].to_vec()];
    for step in (1..=12u8).rev() {
        let half = &mut halves[usize::from(step + 1) % 2];
        check[7] ^= step;
        let block = decrypt(&[check.as_slice(), half.as_slice()].concat())?;
        (check, *half) = (block[..8].to_vec(), block[8..16].to_vec());
    }
    Ok(halves.concat())
}

/// Makes what CKM_AES_KEY_WRAP makes of a 16-byte key with nothing but an AES that encrypts blocks (section
/// 2.2.1).
pub(crate) fn wrapped(value: &[u8; 16], mut encrypt: impl FnMut(&[u8]) -> Told<Vec<u8>>) -> Told<Vec<u8>> {
    let mut check = vec![0xa6; 8];
    let mut halves = [value[..8].to_vec(), value[8..].to_vec()];
    for step in 1..=12u8 {
        let half = &mut halves[usize::from(step + 1) % 2];
        let block = encrypt(&[check.as_slice(), half.as_slice()].concat())?;
        (check, *half) = (block[..8].to_vec(), block[8..16].to_vec());
        check[7] ^= step;
    }
    Ok([check, halves.concat()].concat())
}

/// An AES that decrypts blocks with a key that is known here.
pub(crate) fn decrypting(key: &[u8; 16]) -> impl FnMut(&[u8]) -> Told<Vec<u8>> {
    let cipher = Aes128::new(&Array::from(*key));
    move |block| {
        let mut block = Block::try_from(block).unwrap_or_default();
        cipher.decrypt_block(&mut block);
        Ok(block.to_vec())
    }
}

/// One of the 256 bytes, by what is known of the SHA-256 of it.
pub(crate) fn byte_of_digest(digest: &[u8]) -> Option<u8> {
    use sha2::Digest;
    (0..=u8::MAX).find(|byte| sha2::Sha256::digest([*byte]).as_slice() == digest)
}

/// An RSA key of which everything is known: its primes are two of Mersenne's.
pub(crate) struct KnownPair {
    /// Its modulus, private exponent, both primes, the private exponent for each of them, and the inverse of
    /// the second.
    numbers: [BigUint; 7],
}

/// The public exponent of every key here.
pub(crate) const EXPONENT: u32 = 65537;

impl KnownPair {
    /// Of primes of so many bits.
    pub(crate) fn new(bits: [u16; 2]) -> KnownPair {
        let one = BigUint::from(1u8);
        let [p, q] = bits.map(|exponent| (&one << exponent) - &one);
        let [of_p, of_q] = [&p, &q].map(|prime| prime - &one);
        let d = BigUint::from(EXPONENT).modinv(&(&of_p * &of_q)).unwrap_or_default();
        let inverse = q.modinv(&p).unwrap_or_default();
        KnownPair { numbers: [&p * &q, d.clone(), p, q, &d % of_p, d % of_q, inverse] }
    }

    /// In the order of CKA_MODULUS, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1,
    /// CKA_EXPONENT_2, CKA_COEFFICIENT.
    pub(crate) fn numbers(&self) -> [Vec<u8>; 7] {
        self.numbers.each_ref().map(BigUint::to_bytes_be)
    }

    /// What was encrypted to it.
    pub(crate) fn decrypted(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let opened = BigUint::from_bytes_be(sealed).modpow(&self.numbers[1], &self.numbers[0]);
        unpadded(&opened.to_bytes_be())
    }
}

/// What the public half of a key makes of a number.
pub(crate) fn raised(modulus: &[u8], number: &[u8]) -> Vec<u8> {
    let modulus = BigUint::from_bytes_be(modulus);
    let length = modulus.bits().div_ceil(8);
    let made = BigUint::from_bytes_be(number).modpow(&EXPONENT.into(), &modulus).to_bytes_be();
    let zeros = vec![0; usize::try_from(length).unwrap_or_default().saturating_sub(made.len())];
    [zeros, made].concat()
}

/// The ciphertext of `factor` times what is in `sealed` (Bleichenbacher's step).
pub(crate) fn multiplied(modulus: &[u8], sealed: &[u8], factor: u32) -> Vec<u8> {
    let modulus = BigUint::from_bytes_be(modulus);
    let factor = BigUint::from(factor).modpow(&EXPONENT.into(), &modulus);
    let made = (BigUint::from_bytes_be(sealed) * factor % modulus).to_bytes_be();
    [vec![0; sealed.len() - made.len()], made].concat()
}

/// A message padded for encryption as PKCS #1 version 1.5 says (RFC 8017, section 7.2.1).
pub(crate) fn padded(message: &[u8], length: usize) -> Vec<u8> {
    let filling = vec![0x77; length - message.len() - 3];
    [&[0, 2][..], &filling, &[0], message].concat()
}

/// The message in such a padding, with or without its leading zero.
pub(crate) fn unpadded(block: &[u8]) -> Option<Vec<u8>> {
    let block = block.strip_prefix(&[0]).unwrap_or(block).strip_prefix(&[2])?;
    let end = block.iter().position(|byte| *byte == 0)?;
    Some(block[end + 1..].to_vec())
}

/// The integer cube root, as bytes.
pub(crate) fn cube_root(number: &[u8]) -> Vec<u8> {
    BigUint::from_bytes_be(number).cbrt().to_bytes_be()
}
