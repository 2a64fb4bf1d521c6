"""OCPI 2.2.1 ChargingProfiles between a Smart Charging Service Provider and a CPO's charge points."""
