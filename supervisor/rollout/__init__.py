"""Swaps of engines, staged while the old one serves, with a way back. Never part of the daemon.

    rollout_file  what is to run, what is expected of it, how long it may take
    origins/      the first file, from what runs today
    docker_host   the one who asks Docker, and changes what is there
    command_line  vLLM's flags, read from any way to start it
    facts         everything that a plan needs to know, asked once
    checks/       what cannot work, one reason a file [pure]
    changes       what would be different, flag by flag [pure]
    meanwhile     who serves while this engine does not: drills
    plan          all of it together
    stage         the next container, made and tried, not started; the way back, written down
    exchange/     the swap: what goes on while one gives way to the other, and the way back

Who may ask Docker is root on its machine: this runs from the command line and nowhere else.
"""
