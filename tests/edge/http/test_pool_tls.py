"""The pool over TLS, as it speaks to AWS: with a certificate of our own, on this machine."""

import asyncio
import datetime as dt
import ssl
from pathlib import Path

import pytest
from botocore.exceptions import SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from worker.aws.http.pool import Origin, Pool

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"GET / HTTP/1.1\r\n\r\n"
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for `localhost` that vouches for itself; its key is in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ours")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    own = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path_factory.mktemp("tls") / "ours.pem"
    path.write_bytes(own + made.public_bytes(pem))
    return path


async def serve_three(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer three requests, the last one as S3 does after a hundred; then hang up."""
    for end in (b"", b"", b"Connection: close\r\n"):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK.replace(b"\r\n\r\n", b"\r\n" + end + b"\r\n"))
        await writer.drain()
    writer.transport.abort()


async def asked(host: str, certificate: Path) -> list[bytes]:
    """Ask nine times, one after another, whom the certificate vouches for."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    server = await asyncio.start_server(serve_three, "127.0.0.1", 0, ssl=serving)
    port = server.sockets[0].getsockname()[1]
    pool = Pool(Origin(host, port, ssl.create_default_context(cafile=certificate)), 4, 5.0, 60.0)
    try:
        return [(await pool.send(REQUEST)).body for _ in range(9)]
    finally:
        pool.close()
        server.close()
        await asyncio.sleep(0.01)


def test_answers_come_over_tls_one_connection_after_another(certificate: Path) -> None:
    """Nine requests, three connections."""
    assert asyncio.run(asked("localhost", certificate)) == [b"ok"] * 9


def test_a_certificate_of_somebody_else_is_refused(certificate: Path) -> None:
    """It is valid and trusted, and names another host: that is no network fault."""
    with pytest.raises(SSLError, match="SSL validation failed"):
        asyncio.run(asked("127.0.0.1", certificate))
