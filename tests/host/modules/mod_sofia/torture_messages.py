"""Messages of every kind that RFC 4475 describes, worded here: good ones that look bad, and bad ones.

A name is that of the RFC's section; for bad ones also the status that answers them, 0 where they are dropped.
"""

from __future__ import annotations

from typing import Final


def message(start: str, *headers: str, body: str = "", via: str = "", method: str = "") -> bytes:
    """Return a message with what every message needs; a header given by its name stands in for the usual one."""
    method = method or start.split(" ", maxsplit=1)[0]
    usual = {
        "via": via or "Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKtorture",
        "max-forwards": "Max-Forwards: 70",
        "from": 'From: "Ada" <sip:ada@example.org>;tag=far',
        "to": "To: <sip:lin@example.net>",
        "call-id": "Call-ID: torture@example.org",
        "cseq": f"CSeq: 7 {method}",
        "content-length": f"Content-Length: {len(body.encode('utf-8', 'surrogateescape'))}",
    }
    given = {header.partition(":")[0].strip().lower() for header in headers}
    compact = {"v": "via", "f": "from", "t": "to", "i": "call-id", "l": "content-length"}
    lines = [start]
    lines += [text for name, text in usual.items() if name not in {compact.get(x, x) for x in given}]
    lines += [header for header in headers if header.partition(":")[2]]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("utf-8", "surrogateescape")


_SDP: Final = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
)

VALID: Final[dict[str, bytes]] = {
    "3.1.1.1 short tortuous INVITE": (
        "INVITE sip:lin@example.net;unknownparam SIP/2.0\r\n"
        "TO :\r\n sip:lin@example.net ;   tag    = 99887n\r\n"
        'from   : "A. Lovelace \\\\\\""       <sip:ada@example.org>\r\n  ;\r\n  tag = 98ab\r\n'
        "MaX-fOrWaRdS: 0068\r\n"
        "Call-ID: wsinv.abc@192.0.2.1\r\n"
        f"Content-Length   : {len(_SDP)}\r\n"
        "cseq: 0009\r\n  INVITE\r\n"
        "Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
        "s :\r\n"
        "NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
        "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
        "Content-Type: application/sdp\r\n"
        "Route:\r\n <sip:services.example.net;lr;unknownwith=value;unknown-no-value>\r\n"
        "v:  SIP  / 2.0  / TCP     spindle.example.org   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
        " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
        'm:"Quoted string \\"\\"" <sip:ada@example.org> ; newparam =\r\n      newvalue ;\r\n'
        "  secondparam ; q = 0.33\r\n\r\n" + _SDP
    ).encode(),
    "3.1.1.2 wide range of characters": message(
        "!interesting-Method0123456789_*+`.%indeed'~ "
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.net"
        " SIP/2.0",
        "extensionHeader-!.%*+_`'~:\ufeff\u5927\u505c\u96fb",
    ),
    "3.1.1.3 percent escapes": message(
        "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0",
        "To: sip:%75se%72@example.com",
        "From: <sip:I%20have%20spaces@example.net>;tag=938",
        "Contact: <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>",
    ),
    "3.1.1.4 escaped nulls in URIs": message(
        "REGISTER sip:example.com SIP/2.0",
        "To: sip:null-%00-null@example.com",
        "From: sip:null-%00-null@example.com;tag=839",
        "Contact: <sip:%00@host5.example.com>, <sip:%00%00@host5.example.com>",
    ),
    "3.1.1.5 a percent that escapes nothing": message(
        "RE%47IST%45R sip:registrar.example.com SIP/2.0",
        "Contact: <sip:alias1@host1.example.com>",
        "Contact: <sip:ada@host2.example.com>",
    ),
    "3.1.1.6 no space between name and URI": message(
        "OPTIONS sip:lin@example.com SIP/2.0",
        "From: caller<sip:caller@example.com>;tag=323",
    ),
    "3.1.1.7 long values": message(
        "INVITE sip:lin@example.com SIP/2.0",
        f'To: "I have a user name of {"extreme" * 10} proportion"<sip:lin@example.com:6000;param1={"very" * 20}>',
        f"From: sip:{'amazinglylongcallername' * 5}@example.net;tag=12{'982' * 50}424",
        f"Call-ID: long.{'really' * 20}long",
        f"Unknown-{'Long' * 20}-Name: unknown-{'long' * 20}-value",
        "Via: SIP/2.0/TCP sip33.example.com, SIP/2.0/TCP sip32.example.com;branch=z9hG4bK2",
        f"Via: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very{'long' * 50}branchvalue",
        f"Contact: <sip:{'amazinglylongcallername' * 5}@host5.example.net>",
    ),
    "3.1.1.8 extra trailing octets": message(
        "REGISTER sip:example.com SIP/2.0", "Contact: <sip:j@example.com>"
    )
    + b"INVITE sip:joe@example.com SIP/2.0\r\nt: sip:joe@example.com\r\n\r\nv=0\r\n",
    "3.1.1.9 semicolon in the user part": message("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0"),
    "3.1.1.10 varied transports": message(
        "OPTIONS sip:lin@example.com SIP/2.0",
        "Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw",
        "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf",
        "Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj",
        "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en",
        "Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee",
    ),
    "3.1.1.11 multipart body": message(
        "MESSAGE sip:lin@example.org SIP/2.0",
        "Content-Type: multipart/mixed;boundary=7a9c",
        body="--7a9c\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9c\r\nContent-Type: application/octet-stream"
        "\r\n\r\n0\udc82\u0001R\r\n--7a9c--\r\n",
    ),
    "3.1.1.12 unusual reason": message(
        "SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e",
        method="INVITE",
    ),
    "3.1.1.13 empty reason": message("SIP/2.0 100 ", method="INVITE"),
    "3.3.4 unknown method of a known form": message("NEWMETHOD sip:lin@example.com SIP/2.0"),
    "3.3.6 unknown Content-Type": message(
        "INVITE sip:lin@example.com SIP/2.0", "Content-Type: application/unknownformat", body="<audio/>"
    ),
    "3.3.7 unknown authorization scheme": message(
        "REGISTER sip:example.com SIP/2.0", "Authorization: NoOneKnowsThisScheme opaque-data=here"
    ),
    "3.3.15 Max-Forwards of zero": message("OPTIONS sip:lin@example.com SIP/2.0", "Max-Forwards: 0"),
    "3.4.1 INVITE of RFC 2543": message(
        "INVITE sip:UserB@example.com SIP/2.0",
        "Via: SIP/2.0/UDP iftgw.example.com",
        "Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>",
        "Content-Type: application/sdp",
        body=_SDP,
    ),
    "a tel URI": message("INVITE tel:+1-201-555-0123;phone-context=example.com SIP/2.0"),
    "bytes of UTF-8 that are line ends elsewhere": message(
        "INVITE sip:lin@example.com SIP/2.0", 'From: "\u0105\u2028\u0085x" <sip:a@example.org>;tag=1'
    ),
}

INVALID: Final[dict[str, tuple[bytes, int]]] = {
    "3.1.2.1 extraneous separators": (
        message("INVITE sip:lin@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.15;;,;,,"),
        400,
    ),
    "3.1.2.2 Content-Length larger than the message": (
        message("INVITE sip:lin@example.com SIP/2.0", "Content-Length: 9999", body=_SDP),
        400,
    ),
    "3.1.2.3 negative Content-Length": (
        message("INVITE sip:lin@example.com SIP/2.0", "Content-Length: -999", body=_SDP),
        400,
    ),
    "3.1.2.4 overlarge numbers": (
        message("REGISTER sip:example.com SIP/2.0", "CSeq: 36893488147419103232 REGISTER"),
        400,
    ),
    "3.1.2.5 overlarge numbers in a response": (
        message("SIP/2.0 503 Service Unavailable", "CSeq: 9292394834772304023312 OPTIONS"),
        0,
    ),
    "3.1.2.6 unterminated quotes": (
        message("INVITE sip:lin@example.com SIP/2.0", 'To: "Mr. J. User <sip:j.user@example.com>'),
        400,
    ),
    "3.1.2.7 angle brackets around the Request-URI": (message("INVITE <sip:lin@example.com> SIP/2.0"), 400),
    "3.1.2.8 a space within the Request-URI": (message("INVITE sip:lin@example.com; lr SIP/2.0"), 400),
    "3.1.2.9 spaces between the parts of the request line": (
        message("INVITE sip:lin@example.com  SIP/2.0"),
        400,
    ),
    "3.1.2.10 spaces at its end": (message("OPTIONS sip:lin@example.com SIP/2.0  "), 400),
    "3.1.2.16 unknown version": (message("OPTIONS sip:lin@example.com SIP/7.0"), 505),
    "3.1.2.17 the CSeq names another method": (
        message("OPTIONS sip:lin@example.com SIP/2.0", "CSeq: 8 INVITE"),
        400,
    ),
    "3.1.2.18 the CSeq names an unknown other method": (
        message("NEWMETHOD sip:lin@example.com SIP/2.0", "CSeq: 8 SOMETHING"),
        400,
    ),
    "3.1.2.19 a response code beyond all": (message("SIP/2.0 4294967301 better not", method="OPTIONS"), 0),
    "3.3.1 no headers that are needed": (b"INVITE sip:user@example.com SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n", 0),
    "3.3.2 unknown scheme in the Request-URI": (
        message("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"),
        416,
    ),
    "3.3.3 known scheme that is none of SIP's": (
        message("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"),
        416,
    ),
    "3.3.8 two of what there is one of": (
        message(
            "INVITE sip:lin@example.com SIP/2.0", "CSeq: 5 INVITE", "CSeq: 6 INVITE", "To: sip:b@example.com"
        ),
        400,
    ),
    "3.3.9 two different Content-Lengths": (
        message(
            "OPTIONS sip:lin@example.com SIP/2.0",
            "Content-Length: 13",
            "Content-Length: 5",
            body="There's no way",
        ),
        400,
    ),
    "no CSeq number": (message("OPTIONS sip:lin@example.com SIP/2.0", "CSeq: OPTIONS"), 400),
    "an empty CSeq": (message("OPTIONS sip:lin@example.com SIP/2.0", "CSeq: "), 400),
    "a URI without a host": (message("OPTIONS sip: SIP/2.0"), 400),
    "a header without a colon": (message("OPTIONS sip:lin@example.com SIP/2.0", "X:1\r\nnonsense"), 400),
    "a port beyond all": (message("OPTIONS sip:lin@example.com:99999999 SIP/2.0"), 400),
    "a bad Via port": (
        message("OPTIONS sip:lin@example.com SIP/2.0", "Via: SIP/2.0/UDP h:70000;branch=z9hG4bK1"),
        400,
    ),
    "an ACK with a bad CSeq": (message("ACK sip:lin@example.com SIP/2.0", "CSeq: x ACK"), 0),
    "an empty message": (b"", 0),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", 0),
    "noise": (bytes(range(256)), 0),
}

# What a server may take or refuse, as it likes, says the RFC.
DOUBTFUL: Final[dict[str, bytes]] = {
    "3.1.2.11 escaped headers in the Request-URI": message(
        "INVITE sip:lin@example.com?Route=%3Csip:example.com%3E SIP/2.0"
    ),
    "3.1.2.12 a time zone that is none": message(
        "INVITE sip:lin@example.com SIP/2.0", "Date: Fri, 01 Jan 2010 16:00:00 EST"
    ),
    "3.1.2.13 a URI with a comma and no brackets": message(
        "REGISTER sip:example.com SIP/2.0", "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E"
    ),
    "3.1.2.14 spaces within a URI": message(
        "OPTIONS sip:lin@example.com SIP/2.0", 'To: "Watson, Thomas" < sip:t.watson@example.org >'
    ),
    "3.1.2.15 characters in a display name that are no token": message(
        "OPTIONS sip:lin@example.com SIP/2.0", "To: Watson, Thomas <sip:t.watson@example.org>"
    ),
    "3.2.1 a Via without a magic branch": message(
        "OPTIONS sip:lin@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK"
    ),
    "3.3.5 a parameter nobody knows": message("REGISTER sip:example.com;p=v SIP/2.0"),
    "3.3.10 an old body length of many zeros": message(
        "MESSAGE sip:lin@example.com SIP/2.0", "Content-Length: 0000000004", body="four"
    ),
    "3.3.11 a response to the broadcast address": message(
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1;received=255.255.255.255",
        method="INVITE",
    ),
    "3.3.12 a Max-Forwards of a thousand": message(
        "OPTIONS sip:lin@example.com SIP/2.0", "Max-Forwards: 1000"
    ),
    "3.3.13 parameters of a Contact without brackets": message(
        "REGISTER sip:example.com SIP/2.0", "Contact: sip:+19725552222@gw1.example.net;unknownparam"
    ),
    "3.3.14 escaped headers in a Contact": message(
        "REGISTER sip:example.com SIP/2.0", "Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>"
    ),
}
