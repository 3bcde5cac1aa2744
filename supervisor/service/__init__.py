"""The systemd service on this machine: installed, looked at, removed.

host        what may be changed here, each change with its way back
units       the text of the unit files                                       [pure]
secrets     which secrets become credentials of the service                  [pure]
install     everything in order, undone where a step fails
uninstall   everything but the store
condition   how the service is
"""
