"""Reading requests: converts bodies, with departures from the RFCs, to the shapes of the RFCs."""
