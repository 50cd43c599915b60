"""Write selected samples in the formats that training tools and annotation tools read."""
