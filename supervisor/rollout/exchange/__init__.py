"""The exchange itself: what goes on while one engine gives way to another.

running     one swap: what it is about, who it asks, what it has found
starting    a container is started, and watched until the engine in it serves
guard       the host meanwhile: an engine that takes its memory is killed
gates/      what an engine has to show before it is accepted
users       a user who asks the whole time
restore     the container that served before comes back
swap        all of it, step by step, each in the journal before it begins
"""
