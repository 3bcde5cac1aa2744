"""The reverse proxy that stands in for upstreams during a drill and records what crossed.

server ─► lease (may it act?) ─► script_player (fault, stand-in) or forwarder (real upstream)
└─► attempt ─► wire_record (redacted)
"""
