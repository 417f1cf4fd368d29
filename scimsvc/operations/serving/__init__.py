"""The server: connections, the queue of each lane in front of the threads, and an orderly stop."""
