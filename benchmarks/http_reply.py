"""Tell when a reply is whole: enough HTTP for replies that we wrote ourselves."""


def status_of(reply: bytes | bytearray) -> int:
    """Read the status line."""
    return int(reply[9:12])


def is_whole(reply: bytes | bytearray) -> bool:
    """Tell whether *reply* has come to its end, by its length or its last chunk."""
    end = reply.find(b"\r\n\r\n")
    if end < 0:
        return False
    for line in bytes(reply[:end]).lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(reply) >= end + 4 + int(line[15:])
    return reply.endswith(b"0\r\n\r\n")


def post(url: str, path: str, body: bytes) -> bytes:
    """Write a request to the server at *url*."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {url.removeprefix('http://')}\r\n"
        "content-type: application/json\r\nauthorization: Bearer understudy-canary\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
