"""The Flask side: blueprints whose views read a request, call one service and respond."""
