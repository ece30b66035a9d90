"""What the mqtt process does about the connections that it holds, beside storing what they bring."""
