"""The other servers that figures are compared with: found on this machine, or said to be missing."""
