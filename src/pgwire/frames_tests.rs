//! Tests of frames: what clients send, and what nobody should.

use super::*;

fn read(bytes: &[u8]) -> Result<Option<Frame>, FrameFault> {
    next(&mut BytesMut::from(bytes), FRAME_BYTES_MAX)
}

#[test]
fn frames_are_read_as_they_are_sent() {
    assert_eq!(read(b"Q\0\0\0\x0dSELECT 1\0"), Ok(Some(Frame::Query("SELECT 1".into()))));
    assert_eq!(read(b"S\0\0\0\x04"), Ok(Some(Frame::Sync)));
    assert_eq!(read(b"DS"), Ok(None));
    assert_eq!(read(b"D\0\0\0\x07Sa\0"), Ok(Some(Frame::Describe(Target::Statement, "a".into()))));
    let types = vec![23];
    let parse = Frame::Parse { name: "n".into(), sql: "x".into(), types };
    assert_eq!(read(b"P\0\0\0\x0en\0x\0\0\x01\0\0\0\x17"), Ok(Some(parse)));
    let bind = Bind {
        formats: vec![1],
        values: vec![None, Some(Bytes::from_static(b"ab"))],
        results: vec![1, 0],
        ..Bind::default()
    };
    let sent = b"B\0\0\0\x1c\0\0\0\x01\0\x01\0\x02\xff\xff\xff\xff\0\0\0\x02ab\0\x02\0\x01\0\0";
    assert_eq!(read(sent), Ok(Some(Frame::Bind(bind))));
    assert_eq!(read(b"E\0\0\0\x09\0\0\0\0\x02"), Ok(Some(Frame::Execute { portal: String::new(), rows: 2 })));
}

#[test]
fn what_no_client_should_send_is_a_fault() {
    for (bytes, fault) in [
        (&b"Z\0\0\0\x04"[..], FrameFault::Type(b'Z')),
        (b"Q\0\0\0\x03", FrameFault::Length { bytes: 3, max: FRAME_BYTES_MAX }),
        (b"Q\xff\xff\xff\xff", FrameFault::Length { bytes: u32::MAX, max: FRAME_BYTES_MAX }),
        (b"Q\0\0\0\x06ab", FrameFault::Body),
        (b"Q\0\0\0\x06\xff\0", FrameFault::Encoding),
        (b"Q\0\0\0\x07a\0b", FrameFault::Body),
        (b"P\0\0\0\x08n\0x\0", FrameFault::Body),
        (b"P\0\0\0\x0an\0x\0\xff\xff", FrameFault::Body),
        (b"D\0\0\0\x06Xa", FrameFault::Body),
    ] {
        assert_eq!(read(bytes), Err(fault), "{bytes:?}");
    }
    let mut two = BytesMut::from(&b"Q\0\0\0\x06\xff\0S\0\0\0\x04"[..]);
    assert_eq!(next(&mut two, 100), Err(FrameFault::Encoding));
    assert_eq!(next(&mut two, 100), Ok(Some(Frame::Sync)), "the frame was passed over");
}

#[test]
fn connections_begin_as_clients_begin_them() {
    let open = |bytes: &[u8]| opening(&mut BytesMut::from(bytes));
    assert_eq!(open(b"\0\0\0\x08\x04\xd2\x16\x2f"), Ok(Some(Opening::Tls)));
    assert_eq!(open(b"\0\0\0\x08\x04\xd2\x16\x30"), Ok(Some(Opening::Gss)));
    assert_eq!(open(b"\0\0\0"), Ok(None));
    let parameters = vec![("user".to_owned(), "ada".to_owned())];
    let sent = b"\0\0\0\x12\0\x03\0\x02user\0ada\0\0";
    assert_eq!(open(sent), Ok(Some(Opening::Startup { minor: 2, parameters })));
    assert_eq!(open(b"\0\0\0\x08\0\x02\0\0"), Err(FrameFault::Version(2)));
    let secret = Bytes::from_static(b"1234");
    assert_eq!(open(b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x071234"), Ok(Some(Opening::Cancel { pid: 7, secret })));
    assert_eq!(open(b"\0\0\0\x0c\x04\xd2\x16\x2e\0\0\0\x07"), Err(FrameFault::Body));
}
