//! Published vectors of messages and diffs (libsession's test_configdata).

use warren_crypto::Secret;
use warren_crypto::ed25519::SigningKey;

use super::*;
use crate::base::bt;
use crate::base::message::MessageError;
use crate::base::tree::prune;

#[test]
fn values_are_written_in_order() {
    let tree = dict([
        ("a", 23.into()),
        ("B", "x".into()),
        ("c", set(["2".into(), "1".into(), 4.into(), (-3).into()])),
        ("D", nested([("x", 1.into()), ("y", 2.into())])),
        ("d", nested([("e", nested([("f", nested([("g", "".into())]))]))])),
        ("s", set(["foo".into(), 23.into(), "Foo".into(), "~".into(), "!".into(), (-123).into()])),
    ]);
    let mut out = Vec::new();
    bt::write_tree(&mut out, &tree);
    assert_eq!(
        text(&out),
        "d1:B1:x1:Dd1:xi1e1:yi2ee1:ai23e1:cli-3ei4e1:11:2e1:dd1:ed1:fd1:g0:eee\
         1:sli-123ei23e1:!3:Foo3:foo1:~ee"
    );
}

#[test]
fn empty_containers_are_pruned_with_those_that_hold_nothing_else() {
    let mut tree = dict([
        ("a", 123.into()),
        ("b", nested([])),
        ("c", nested([("a", 1.into())])),
        ("d", set([42.into()])),
        ("e", set([])),
        ("f", nested([("a", 1.into()), ("b", set([]))])),
        ("g", nested([("a", nested([("a", nested([("a", nested([]))]))]))])),
    ]);
    prune(&mut tree);
    let expected = dict([
        ("a", 123.into()),
        ("c", nested([("a", 1.into())])),
        ("d", set([42.into()])),
        ("f", nested([("a", 1.into())])),
    ]);
    assert_eq!(tree, expected);
}

fn foo_and_bar() -> Dict {
    let members = set(["a".into(), "b".into(), 42.into()]);
    dict([
        ("foo", 123.into()),
        ("bar", nested([("asdf", 123.into()), ("xyz", "abc".into()), ("", members)])),
    ])
}

fn change_foo_and_bar(message: &mut Message) {
    put(&mut message.data, "foo", 123);
    let bar = inner(message, "bar");
    put(bar, "xyz", 42);
    put(bar, "a", 42);
    let members = inner_set(bar, "");
    members.extend(["c".into(), 99.into(), 42.into()]);
    members.remove(&"b".into());
}

#[test]
fn a_diff_names_what_changed_and_nothing_else() {
    let mut first = fresh(0, foo_and_bar());
    put(&mut first.data, "empty", set([]));
    put(&mut first.data, "empty2", nested([]));
    write(&mut first);
    let added = |members: &[Scalar], removed: &[Scalar]| Change::Members {
        added: members.to_vec(),
        removed: removed.to_vec(),
    };
    let bar = diff([
        ("asdf", Change::Assigned),
        ("xyz", Change::Assigned),
        ("", added(&[42.into(), "a".into(), "b".into()], &[])),
    ]);
    assert_eq!(first.diff, diff([("foo", Change::Assigned), ("bar", Change::Within(bar))]));

    let mut second = next(&first);
    assert_eq!(second.seqno, 1);
    write(&mut second);
    assert_eq!(second.diff, Diff::new());
    second.data.remove(b"foo".as_slice());
    write(&mut second);
    assert_eq!(second.diff, diff([("foo", Change::Removed)]));

    let mut third = next(&second);
    change_foo_and_bar(&mut third);
    write(&mut third);
    let bar = diff([
        ("xyz", Change::Assigned),
        ("a", Change::Assigned),
        ("", added(&[99.into(), "c".into()], &["b".into()])),
    ]);
    assert_eq!(third.diff, diff([("foo", Change::Assigned), ("bar", Change::Within(bar))]));
}

const HASH0: &str = "d65738bba88b0f3455cef20fe09a7b4b10f25f9db82be24a6ce1bd06da197526";
const HASH1: &str = "5b30b4abf4cba71db25dbc0d977cc25df1d0a8a87cad7f561cdec2b8caf65f5e";
const HASH2: &str = "027552203cf669070d3ecbeecfa65c65497d59aa4da490e0f68f8131ce081320";
const HASH3: &str = "b83871ea06587f9254cdf2b2af8daff19bd7fb550fb90d5f8f9f546464c08bc5";
const HASH4: &str = "c30e2cfa7ec93c64a1ab6420c9bccfb63da8e4c2940ed6509ffb64f3f0131860";
const HASH5: &str = "3234eb7da8cf4b79b9eec2a144247279d10f6f118184f82429a42c5996bea60c";

#[test]
fn successive_messages_have_the_published_bytes_and_hashes() {
    let mut first = fresh(10, foo_and_bar());
    assert_eq!(
        text(&write(&mut first)),
        "d1:#i10e1:&d3:bard0:li42e1:a1:be4:asdfi123e3:xyz3:abce3:fooi123ee1:<le\
         1:=d3:bard0:lli42e1:a1:belee4:asdf0:3:xyz0:e3:foo0:ee"
    );
    assert_eq!(hash_of(&mut first), hash(HASH0));
    let mut second = next(&first);
    second.data.remove(b"foo".as_slice());
    assert_eq!(hash_of(&mut second), hash(HASH1));
    let mut third = next(&second);
    change_foo_and_bar(&mut third);
    assert_eq!(hash_of(&mut third), hash(HASH2));
    let hashes = [
        ("hash0", hash(HASH0)),
        ("hash1", hash(HASH1)),
        ("hash2", hash(HASH2)),
        ("hash3", hash(HASH3)),
        ("hash4", hash(HASH4)),
    ];
    let data = "1:&d3:bard0:li42ei99e1:a1:ce1:ai42e4:asdfi123e3:xyzi42ee3:fooi123ee";
    let expected = message(
        &[
            "d1:#i12e",
            data,
            "1:<lli10e{hash0}d3:bard0:lli42e1:a1:belee4:asdf0:3:xyz0:e3:foo0:ee",
            "li11e{hash1}d3:foo1:-eee",
            "1:=d3:bard0:lli99e1:cel1:bee1:a0:3:xyz0:e3:foo0:ee",
        ],
        &hashes,
    );
    assert_eq!(text(&write(&mut third)), text(&expected));

    let mut fourth = next(&third);
    assert_eq!(hash_of(&mut fourth), hash(HASH3));
    let mut fifth = next(&fourth);
    assert_eq!(hash_of(&mut fifth), hash(HASH4));
    let mut sixth = next(&fifth);
    let expected = message(
        &[
            "d1:#i15e",
            data,
            "1:<lli11e{hash1}d3:foo1:-eeli12e{hash2}",
            "d3:bard0:lli99e1:cel1:bee1:a0:3:xyz0:e3:foo0:ee",
            "li13e{hash3}deeli14e{hash4}deee1:=dee",
        ],
        &hashes,
    );
    assert_eq!(text(&write(&mut sixth)), text(&expected));
    assert_eq!(hash_of(&mut sixth), hash(HASH5));
}

#[test]
fn a_signature_covers_what_stands_before_it() {
    let key = |seed: &str| {
        SigningKey::from_seed(Secret::from_slice(&hex::decode(seed).unwrap()).unwrap()).unwrap()
    };
    let key = key("79f530dbf3d81aecc04072933c1b3e3edc0b7d91f2dcc2f7756f2611886cca5f");
    let mut made = fresh(10, foo_and_bar());
    let written = made.write(Some(&key)).unwrap();
    let signature = "77267f4de7701ae348eba0ef73175281512ba3f1051cfed22dc3e31b9c699330\
                     2938863e09bc8b33638161071bd8dc397d5c1d3f674120d08fbb9c64dde2e907";
    let unsigned = "d1:#i10e1:&d3:bard0:li42e1:a1:be4:asdfi123e3:xyz3:abce3:fooi123ee1:<le\
                    1:=d3:bard0:lli42e1:a1:belee4:asdf0:3:xyz0:e3:foo0:e";
    let tail = [b"1:~64:".as_slice(), &hex::decode(signature).unwrap(), b"e"].concat();
    assert_eq!(text(&written), text(&[unsigned.as_bytes(), &tail].concat()));

    let trust = Trust::Signed(key.verifying_key());
    let mut back = Message::read(&written, trust).unwrap();
    assert!(back.is_signed());
    made.rehash(Some(&key)).unwrap();
    assert_eq!(back.hash, made.hash);
    assert_eq!(back.write(None).unwrap(), written);

    let mut broken = written.clone();
    let at = broken.len() - 2;
    broken[at] ^= 0x10;
    let error = |bytes: &[u8]| Message::read(bytes, trust).err();
    assert_eq!(error(&broken), Some(MessageError::Signature));
    let bare = [unsigned.as_bytes(), b"e"].concat();
    assert_eq!(error(&bare), Some(MessageError::Signature));
    assert!(!Message::read(&bare, Trust::Unsigned).unwrap().is_signed());
}

#[test]
fn a_message_with_an_empty_container_in_its_data_is_refused() {
    for data in ["0:le", "0:de"] {
        let bytes = format!("d1:#i0e1:&d{data}e1:<le1:=dee");
        assert!(Message::read(bytes.as_bytes(), Trust::Unsigned).is_err());
    }
}

#[test]
fn unknown_keys_between_the_known_ones_are_kept() {
    let bytes = b"d1:#i1e1:$i5e1:&d1:ai1ee1:'d1:x1:ye1:<le1:=de1:Zli3e1:bee";
    let mut message = read(bytes);
    assert_eq!(text(&write(&mut message)), text(bytes));
    let mut following = next(&message);
    put(&mut following.data, "a", 2);
    let written = text(&write(&mut following));
    assert!(written.starts_with("d1:#i2e1:$i5e1:&d1:ai2ee1:\\'d1:x1:ye1:<l"), "{written}");
    assert!(written.ends_with("1:=d1:a0:e1:Zli3e1:bee"), "{written}");
}

#[test]
fn what_is_out_of_place_in_a_message_is_refused() {
    for bytes in [
        "de",
        "d1:&de1:<le1:=dee",
        "d1:#i1e1:<le1:=dee",
        "d1:#i1e1:&dee",
        "d1:!i1e1:#i1e1:&de1:<le1:=dee",
        "d1:#i1e1:&de1:<le1:=de2:~~0:e",
        "d1:#i1e1:&de1:<le1:=de1:~3:abce",
        "d1:#1:11:&de1:<le1:=dee",
        "d1:#i1e1:&d1:ali2ei1eee1:<le1:=dee",
        "d1:#i1e1:&d1:al1:ai1eee1:<le1:=dee",
        "d1:#i1e1:&d1:ali1ei1eee1:<le1:=dee",
        "d1:#i1e1:&d1:ai99999999999999999999ee1:<le1:=dee",
        "d1:#i1e1:&de1:<le1:=d1:a1:xee",
        "d1:#i1e1:&de1:<le1:=d1:alleleleeee",
        "d1:#i1e1:&de1:<lli1e32:00000000000000000000000000000000deee1:=dee",
        "d1:#i1e1:&de1:<lli0e3:000deee1:=dee",
        "d1:#i1e1:&de1:<le1:=deex",
    ] {
        assert!(Message::read(bytes.as_bytes(), Trust::Unsigned).is_err(), "{bytes}");
    }
}
