"""Reading requests: what clients send, departures from the RFCs included, becomes the RFCs' shapes."""
