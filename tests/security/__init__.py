"""What strangers, thieves, hostile upstreams and a hostile gateway can do, page by page."""
