//! The scalars and points behind Ed25519 keys: blinding a key, and signing with a blinded one.

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::clamp_integer;
use curve25519_dalek::{EdwardsPoint, Scalar as Number};
use zeroize::Zeroize;

use crate::ed25519::{SIGNATURE_BYTES, SigningKey, VerifyingKey};
use crate::{CryptoError, Secret, hash, x25519};

/// The bit of a key's last byte that holds the sign of `x` (RFC 8032, section 5.1.2).
const SIGN_BIT: u8 = 0x80;

/// An integer modulo `L`, the order of the Ed25519 base point (RFC 8032, section 5.1). Secret.
pub struct Scalar(Number);

impl Scalar {
    /// `bytes mod L` of 64 little-endian bytes, as `crypto_core_ed25519_scalar_reduce`.
    ///
    /// Uniform where the bytes are.
    pub fn reduce(bytes: &[u8; 64]) -> Self {
        Self(Number::from_bytes_mod_order_wide(bytes))
    }

    /// `bytes mod 2^255 mod L` of 32 little-endian bytes.
    ///
    /// libsodium's `crypto_scalarmult_ed25519_noclamp` drops the highest bit too.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut bytes = *bytes;
        if let Some(last) = bytes.last_mut() {
            *last &= !SIGN_BIT;
        }
        let scalar = Self(Number::from_bytes_mod_order(bytes));
        bytes.zeroize();
        scalar
    }

    /// `a` of `A = aB`: the clamped first half of `SHA-512(seed)` (RFC 8032, section 5.1.5), mod `L`.
    ///
    /// # Errors
    /// Never for a key made from a seed; the library's result is passed on.
    pub fn of_key(key: &SigningKey) -> Result<Self, CryptoError> {
        let secret = key.to_x25519()?;
        let mut clamped = clamp_integer(*secret.secret().expose());
        let scalar = Self(Number::from_bytes_mod_order(clamped));
        clamped.zeroize();
        Ok(scalar)
    }

    /// The 32 little-endian bytes.
    pub fn to_bytes(&self) -> Secret<32> {
        Secret::take(&mut self.0.to_bytes())
    }

    /// `self * other mod L`.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self(self.0 * other.0)
    }

    /// `-self mod L`.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self(-self.0)
    }

    /// `self * B`, the public key of this scalar, without clamping.
    pub fn public_key(&self) -> VerifyingKey {
        from_point(&EdwardsPoint::mul_base(&self.0))
    }

    /// `self * key`, without clamping, as `crypto_scalarmult_ed25519_noclamp`.
    ///
    /// # Errors
    /// Where the key is not written canonically, is no point of the prime-order group, or the result
    /// is the neutral element.
    pub fn blind(&self, key: &VerifyingKey) -> Result<VerifyingKey, CryptoError> {
        let product = to_point(key)? * self.0;
        if product.is_small_order() { Err(CryptoError) } else { Ok(from_point(&product)) }
    }

    /// `R || S` with `R = rB` and `S = r + SHA-512(R || A || message) a mod L`: EdDSA (RFC 8032,
    /// section 5.1.6) with `a` being this scalar, `A = aB` and a chosen `r`.
    ///
    /// Two messages under one `r` give the scalar away: `r` must be a hash of a secret, `A` and the
    /// message.
    pub fn sign(&self, r: &Self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let (point, public) = (r.public_key(), self.public_key());
        let challenge = hash::sha512(&[point.as_bytes(), public.as_bytes(), message]);
        let response = r.0 + Self::reduce(&challenge).0 * self.0;
        let mut signature = [0; SIGNATURE_BYTES];
        for (to, from) in
            signature.iter_mut().zip(point.as_bytes().iter().chain(response.as_bytes()))
        {
            *to = *from;
        }
        signature
    }
}

impl Drop for Scalar {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scalar(..)")
    }
}

/// `y = (u - 1) / (u + 1)` with the sign of `x` zero: of the two Ed25519 keys behind an X25519 key
/// the positive one (RFC 7748, section 4.1; XEd25519, section 2.3).
///
/// The person's own key is this one or its negative.
///
/// # Errors
/// Where the key is no point of the curve, but of its twist.
pub fn positive_key(key: &x25519::PublicKey) -> Result<VerifyingKey, CryptoError> {
    let point = MontgomeryPoint(*key.as_bytes()).to_edwards(0).ok_or(CryptoError)?;
    Ok(from_point(&point))
}

/// Whether the sign bit of a key is set.
pub fn is_negative(key: &VerifyingKey) -> bool {
    key.as_bytes().last().is_some_and(|last| last & SIGN_BIT != 0)
}

/// A key with its sign bit cleared: itself, or its negative.
#[must_use]
pub fn absolute(key: &VerifyingKey) -> VerifyingKey {
    let mut bytes = *key.as_bytes();
    if let Some(last) = bytes.last_mut() {
        *last &= !SIGN_BIT;
    }
    VerifyingKey::from_bytes(bytes)
}

fn to_point(key: &VerifyingKey) -> Result<EdwardsPoint, CryptoError> {
    let written = CompressedEdwardsY(*key.as_bytes());
    let point = written.decompress().ok_or(CryptoError)?;
    let usable = point.compress() == written && point.is_torsion_free() && !point.is_small_order();
    if usable { Ok(point) } else { Err(CryptoError) }
}

fn from_point(point: &EdwardsPoint) -> VerifyingKey {
    VerifyingKey::from_bytes(point.compress().to_bytes())
}

#[cfg(test)]
mod tests {
    use libsodium_rs::{crypto_core, crypto_scalarmult};
    use proptest::prelude::*;

    use super::*;

    fn key(seed: [u8; 32]) -> SigningKey {
        SigningKey::from_seed(Secret::take(&mut seed.clone())).unwrap()
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_libsodium(wide: [[u8; 16]; 4], other: [[u8; 16]; 4], seed: [u8; 32]) {
            let wide: [u8; 64] = wide.concat().try_into().unwrap();
            let other: [u8; 64] = other.concat().try_into().unwrap();
            let (x, y) = (Scalar::reduce(&wide), Scalar::reduce(&other));
            let a = crypto_core::ed25519::scalar_reduce(&wide).unwrap();
            let b = crypto_core::ed25519::scalar_reduce(&other).unwrap();
            prop_assert_eq!(*x.to_bytes().expose(), a);
            prop_assert_eq!(
                *x.times(&y).to_bytes().expose(),
                crypto_core::ed25519::scalar_mul(&a, &b).unwrap()
            );
            prop_assert_eq!(
                *x.negated().to_bytes().expose(),
                crypto_core::ed25519::scalar_negate(&a).unwrap()
            );
            let point = key(seed).verifying_key();
            prop_assert_eq!(
                *x.blind(&point).unwrap().as_bytes(),
                crypto_scalarmult::ed25519::scalarmult_noclamp(&a, point.as_bytes()).unwrap()
            );
            prop_assert_eq!(
                *x.public_key().as_bytes(),
                crypto_scalarmult::ed25519::scalarmult_base_noclamp(&a).unwrap()
            );
        }

        #[test]
        fn any_bytes_are_blinded_where_libsodium_blinds_them(bytes: [u8; 32], number: [u8; 32]) {
            let ours = Scalar::from_bytes(&number).blind(&VerifyingKey::from_bytes(bytes));
            let theirs = crypto_scalarmult::ed25519::scalarmult_noclamp(&number, &bytes);
            prop_assert_eq!(ours.ok().map(|key| *key.as_bytes()), theirs.ok());
        }

        #[test]
        fn a_signature_by_a_scalar_verifies_under_its_key(seed: [u8; 32], message: Vec<u8>) {
            let scalar = Scalar::of_key(&key(seed)).unwrap();
            prop_assert_eq!(scalar.public_key(), key(seed).verifying_key());
            let r = Scalar::reduce(&hash::sha512(&[&seed, &message]));
            let signature = scalar.sign(&r, &message);
            prop_assert_eq!(scalar.public_key().verify(&message, &signature), Ok(()));
        }

        #[test]
        fn the_positive_key_is_the_own_one_without_its_sign(seed: [u8; 32]) {
            let own = key(seed).verifying_key();
            prop_assert_eq!(positive_key(&own.to_x25519().unwrap()).unwrap(), absolute(&own));
            prop_assert!(!is_negative(&absolute(&own)));
            prop_assert_eq!(is_negative(&own), own != absolute(&own));
        }
    }

    /// RFC 8032, section 7.1, test 2: `r` is computed from the second half of `SHA-512(seed)`.
    #[test]
    fn with_the_standard_nonce_the_signature_is_the_standard_one() {
        let seed: [u8; 32] =
            hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
                .unwrap()
                .try_into()
                .unwrap();
        let scalar = Scalar::of_key(&key(seed)).unwrap();
        let r = Scalar::reduce(&hash::sha512(&[&hash::sha512(&[&seed])[32..], &[0x72]]));
        assert_eq!(scalar.sign(&r, &[0x72]), key(seed).sign(&[0x72]).unwrap());
    }

    #[test]
    fn points_of_small_order_and_of_the_twist_are_refused() {
        let one = Scalar::from_bytes(&[1; 32]);
        for text in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            let bytes = hex::decode(text).unwrap().try_into().unwrap();
            assert_eq!(one.blind(&VerifyingKey::from_bytes(bytes)), Err(CryptoError), "{text}");
        }
        let mut minus_one = [0xff; 32];
        (minus_one[0], minus_one[31]) = (0xec, 0x7f);
        assert_eq!(positive_key(&x25519::PublicKey::from_bytes(minus_one)), Err(CryptoError));
        let own = key([7; 32]).verifying_key();
        assert_eq!(Scalar::from_bytes(&[0; 32]).blind(&own), Err(CryptoError));
    }
}
