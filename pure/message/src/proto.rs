//! The protobuf types generated from `proto/session.proto`: unchecked, so private to this crate.
#![expect(unreachable_pub, reason = "generated code makes everything public")]

include!(concat!(env!("OUT_DIR"), "/warren.session.rs"));
