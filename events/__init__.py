"""What happened: reading the log of change events, and numbering it on PostgreSQL.

Storage writes the log inside each Batch; here it is read, in order and without gaps. The log calls nobody: whoever
wants events keeps a position and reads on. Nothing here knows an actor: cutting events to grants is done above.
"""

from events.log import Event, LogHead, read_head, read_history, read_page
from events.sequencer import Sequencer

__all__ = ["Event", "LogHead", "Sequencer", "read_head", "read_history", "read_page"]
