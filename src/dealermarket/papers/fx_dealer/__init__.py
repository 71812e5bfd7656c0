"""The experiments of Barzykin, Bergault and Guéant on the FX dealer: when to wait for clients, and when to hedge."""
